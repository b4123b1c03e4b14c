// Keeps an open page fresh. The sandbox says that something has changed, and nothing else; then the page is got anew, and
// the sections that are marked data-fresh take the places of the old ones. Forms that somebody types in are not among them.
"use strict";
(() => {
  const { here, live } = document.body.dataset;
  const state = document.getElementById("live-state");
  const news = document.getElementById("live-news");
  let source = null;
  let isLoading = false;
  let isStale = false;

  function swap(fresh) {
    const focused = document.activeElement && document.activeElement.id;
    for (const old of document.querySelectorAll("[data-fresh]")) {
      const section = fresh.getElementById(old.id);
      if (!section) continue;
      const open = [...old.querySelectorAll("details[open]")].map((one) => one.id);
      const moved = document.adoptNode(section);
      for (const id of open) {
        const details = moved.querySelector(`#${CSS.escape(id)}`);
        if (details) details.open = true;
      }
      if (moved.isEqualNode(old)) continue;
      const told = tellPending(old, moved) || tellState(old, moved);
      const hadFocus = old.contains(document.activeElement);
      old.replaceWith(moved);
      if (told) news.textContent = told;
      if (hadFocus) (document.getElementById(focused) || document.getElementById("main")).focus();
    }
  }

  // What is worth interrupting somebody for: more to decide, and that a task has a new state.
  function tellPending(old, fresh) {
    const count = (section) => Number(section.querySelector("[data-pending]")?.dataset.pending ?? NaN);
    return count(fresh) > count(old) ? "One more payment waits for your approval." : "";
  }

  function tellState(old, fresh) {
    const told = (section) => section.querySelector("[data-state]")?.dataset.state;
    return told(fresh) !== told(old) ? `The task is ${told(fresh)}.` : "";
  }

  function load() {
    isStale = true;
    if (isLoading) return;
    isLoading = true;
    isStale = false;
    const request = new XMLHttpRequest();
    request.open("GET", here);
    request.responseType = "document";
    request.onload = () => {
      if (request.status === 200 && request.response) swap(request.response);
    };
    request.onloadend = () => {
      isLoading = false;
      if (isStale) load();
    };
    request.send();
  }

  function listen() {
    if (source || document.hidden) return;
    source = new EventSource(live);
    source.onopen = () => { state.textContent = "News appears by itself."; };
    source.onmessage = load;
    source.onerror = () => {
      state.textContent = "Load the page again to see news.";
      if (source && source.readyState === EventSource.CLOSED) {
        source = null;
        setTimeout(listen, 5000);
      }
    };
  }

  // A browser has few connections to one server; pages that nobody sees take none.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && source) {
      source.close();
      source = null;
    }
    listen();
  });
  listen();
})();
