/* Buttons that copy the value of the element that they name. Where the page may not write to the
   clipboard (no https), the value is selected, to be copied by hand. */
document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    try {
        await navigator.clipboard.writeText(source.textContent);
        button.dataset.copied = "";
        setTimeout(() => delete button.dataset.copied, 2000);
    } catch {
        getSelection().selectAllChildren(source);
    }
});
