// Changes the token of a link for a session. It stands after the #, so it is in no server's log and in no Referer.
"use strict";
const token = new URLSearchParams(location.hash.slice(1)).get("token");
if (token) {
  history.replaceState(null, "", location.pathname + location.search);
  fetch("/session", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token }) })
    .then(async (answer) => {
      if (answer.ok) location.reload();
      else document.getElementById("told").textContent = (await answer.json()).message;
    });
}
