"""Going through a page by the Tab key alone."""

from playwright.sync_api import Page

# What somebody with a mouse can press or fill in. Of a group of radios the Tab key reaches one.
MARK = """() => {
    const wanted = 'a[href], button, input:not([type=hidden]), select, textarea, summary,'
        + '[tabindex]';
    const groups = new Set();
    let number = 0;
    for (const each of document.querySelectorAll(wanted)) {
        delete each.dataset.stop;
        const isShown = each.checkVisibility({ visibilityProperty: true, opacityProperty: true })
            && each.getClientRects().length && !each.closest('[inert], [aria-hidden=true]');
        if (!isShown || each.disabled || each.tabIndex < 0) continue;
        if (each.type === 'radio') {
            if (groups.has(each.name)) continue;
            const chosen = document.querySelector(`input[name="${each.name}"]:checked`) || each;
            groups.add(each.name);
            chosen.dataset.stop = number++;
            continue;
        }
        each.dataset.stop = number++;
    }
    return number;
}"""
# Where the Tab key goes on from: the page's top.
RESTART = """() => {
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute('tabindex');
    scrollTo(0, 0);
}"""
# A ring or an outline: something that is not there without the focus.
FOCUSED = """() => {
    const it = document.activeElement;
    if (!it || it === document.body) return null;
    const look = (style) => [style.outlineStyle, style.outlineWidth, style.boxShadow,
        style.borderColor, style.textDecorationLine, style.backgroundColor].join('|');
    const focused = look(getComputedStyle(it));
    it.blur();
    const without = look(getComputedStyle(it));
    it.focus({ focusVisible: true, preventScroll: true });
    return [it.dataset.stop === undefined ? -1 : Number(it.dataset.stop), focused !== without,
        it.outerHTML.slice(0, 160)];
}"""


def walk(page: Page) -> list[str]:
    """What is wrong with going through this page from its top to its end."""
    page.evaluate(RESTART)
    count = page.evaluate(MARK)
    reached: list[int] = []
    troubles = []
    for _press in range(count * 2 + 10):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None or (reached and focused[0] == reached[0]):
            break
        stop, is_seen, html = focused
        if stop < 0:
            continue
        if not is_seen:
            troubles.append(f"the focus is not seen: {html}")
        if reached and stop < reached[-1]:
            troubles.append(f"it comes before what it follows: {html}")
        reached.append(stop)
    for missing in sorted(set(range(count)) - set(reached)):
        html = page.locator(f'[data-stop="{missing}"]').evaluate("e => e.outerHTML.slice(0, 160)")
        troubles.append(f"Tab does not reach {html}")
    return troubles


def skips(page: Page) -> bool:
    """Whether the first press of Tab offers to pass the menus over, and does."""
    page.evaluate(RESTART)
    page.keyboard.press("Tab")
    link = page.locator(":focus")
    target = link.get_attribute("href") or ""
    if not target.startswith("#") or not link.is_visible():
        return False
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    return bool(
        page.evaluate("id => document.querySelector(id).contains(document.activeElement)", target)
    )
