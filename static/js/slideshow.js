// The slideshow goes on by itself: Play and Pause, space and arrow keys. Without this file the links do.
"use strict";

const button = document.getElementById("play");
const STATE = "kinfolk slideshow"; // whether it plays, until the window is closed
const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

// Who asked for less motion starts it by hand.
let playing = (sessionStorage.getItem(STATE) ?? (still ? "paused" : "playing")) === "playing";
let timer = 0;

const follow = (link) => link && window.location.replace(link);

function show() {
  button.dataset.playing = String(playing);
  clearTimeout(timer);
  if (playing) timer = setTimeout(follow, 1000 * Number(button.dataset.seconds), button.dataset.next);
}

function toggle() {
  playing = !playing;
  sessionStorage.setItem(STATE, playing ? "playing" : "paused");
  show();
}

button.hidden = false;
button.addEventListener("click", toggle);
document.getElementById("close").addEventListener("click", () => sessionStorage.removeItem(STATE));

for (const link of document.querySelectorAll("[rel=prev], [rel=next]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault(); // one step back leads out of the slideshow, not through all of it
    follow(link.href);
  });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "ArrowLeft") follow(document.querySelector("[rel=prev]")?.href);
  else if (event.key === "ArrowRight") follow(document.querySelector("[rel=next]")?.href);
  else if (event.key === "Escape") document.getElementById("close").click();
  else if (event.key === " " && document.activeElement !== button) toggle();
  else return;
  event.preventDefault();
});

show();
