"use strict";

// Copies what a button carries, and says so.
document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    const label = button.textContent;
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = label; }, 2000);
});

// Nobody looks at a hidden page, and what somebody reads or marks must not move under him.
document.addEventListener("htmx:beforeRequest", (event) => {
    const live = event.detail.elt;
    const busy = live.contains(document.activeElement) || String(document.getSelection())
        || live.querySelector("details[open]");
    if (document.hidden || (live.id === "live" && busy)) event.preventDefault();
});
