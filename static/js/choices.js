// Ticking all faces, or none, of a form; without this file each is ticked by itself.
"use strict";

kinfolk.onPage((page) => {
  for (const button of page.querySelectorAll("[data-tick]")) button.hidden = false;

  page.addEventListener("click", (event) => {
    const button = event.target.closest("[data-tick]");
    if (button === null) return;
    for (const box of button.form.querySelectorAll('input[type="checkbox"]')) box.checked = button.dataset.tick === "all";
  });
});
