// Ticking all faces, or none, of a form; without this file each is ticked by itself.
"use strict";

for (const button of document.querySelectorAll("[data-tick]")) button.hidden = false;

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-tick]");
  if (button === null) return;
  for (const box of button.form.querySelectorAll('input[type="checkbox"]')) box.checked = button.dataset.tick === "all";
});
