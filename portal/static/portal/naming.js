"use strict";

// select2 puts a field of its own before a list that is searched, which has no name for whoever
// cannot see the label beside it.
const nameThem = () => {
    for (const list of document.querySelectorAll("select.select2-hidden-accessible")) {
        const name = list.labels[0]?.textContent.trim() || list.getAttribute("aria-label") || list.name;
        const shown = list.nextElementSibling?.querySelectorAll("[role=textbox], [role=combobox]");
        shown?.forEach((each) => {
            each.removeAttribute("aria-labelledby");
            each.setAttribute("aria-label", name);
        });
    }
};
// jQuery makes those fields a moment after the page is there, which may be after its load too.
window.addEventListener("load", () => setTimeout(nameThem));
