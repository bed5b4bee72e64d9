// Shows what the WebSocket sends, and says plainly when it has ended.
"use strict";

const state = document.getElementById("state");
const show = (id, value) => { document.getElementById(id).textContent = value; };
const scheme = location.protocol === "https:" ? "wss:" : "ws:";
const socket = new WebSocket(`${scheme}//${location.host}/live/ws`);
let opened = false;

socket.addEventListener("open", () => {
  opened = true;
  state.textContent = "Live";
  state.className = "notice live";
});

socket.addEventListener("message", (message) => {
  const reading = JSON.parse(message.data);
  show("tick", reading.tick);
  show("devices", reading.devices);
  show("online", reading.online);
});

socket.addEventListener("close", (event) => {
  const why = event.reason ? `: ${event.reason}` : "";
  state.textContent = opened
    ? `Closed at ${new Date().toLocaleTimeString()} (code ${event.code}${why}). Reload the page to see why.`
    : "The live connection was refused. Reload the page to see why.";
  state.className = "notice closed";
});
