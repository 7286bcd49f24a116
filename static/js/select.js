// Choosing several people or photos: a bar that appears with the first tick, ranges by shift, Escape to choose none;
// and forms that are sent once, however often the button is pressed. Without this file the bar is always there.
"use strict";

kinfolk.onPage((page, signal) => {
  const ticks = (form) => [...form.elements].filter((element) => element.type === "checkbox");

  function count(form) {
    const chosen = ticks(form).filter((tick) => tick.checked).length;
    for (const output of form.querySelectorAll("[data-count]")) output.textContent = String(chosen);
    form.classList.toggle("choosing", chosen > 0);
  }

  function clear(form) {
    for (const tick of ticks(form)) tick.checked = false;
    count(form);
  }

  let last = null; // the tick that was changed last, where a range begins
  let shift = false;

  page.addEventListener("click", (event) => {
    shift = event.shiftKey;
    const form = event.target.closest("[data-clear]")?.form;
    if (form) clear(form);
  }, { capture: true });

  page.addEventListener("change", (event) => {
    const form = event.target.form;
    if (event.target.type !== "checkbox" || !form?.matches("[data-select]")) return;
    const all = ticks(form);
    const from = all.indexOf(last);
    if (shift && from >= 0) {
      const [low, high] = [from, all.indexOf(event.target)].sort((one, other) => one - other);
      for (const tick of all.slice(low, high + 1)) tick.checked = event.target.checked;
    }
    last = event.target;
    count(form);
  });

  kinfolk.keys(page, signal, (event) => {
    if (event.key !== "Escape") return;
    for (const form of page.querySelectorAll("form[data-select].choosing")) clear(form);
  });

  page.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-once], [data-select]")) return;
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "1";
  });

  // A page that comes back from the browser's memory keeps its ticks, and may be sent again.
  function again() {
    for (const form of page.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
    for (const form of page.querySelectorAll("form[data-select]")) count(form);
  }
  window.addEventListener("pageshow", again, { signal });
  again();
});
