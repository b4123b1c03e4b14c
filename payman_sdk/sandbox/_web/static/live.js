// Updates an open page. When the sandbox reports a change, this loads the page and replaces the sections marked data-fresh,
// which hold no fields.
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
      const message = describePending(old, moved) || describeState(old, moved);
      const hadFocus = old.contains(document.activeElement);
      old.replaceWith(moved);
      if (message) news.textContent = message;
      if (hadFocus) (document.getElementById(focused) || document.getElementById("main")).focus();
    }
  }

  // What screen readers announce: another payment to decide, or a new state of the task.
  function describePending(old, fresh) {
    const count = (section) => Number(section.querySelector("[data-pending]")?.dataset.pending ?? NaN);
    return count(fresh) > count(old) ? "One more payment waits for your approval." : "";
  }

  function describeState(old, fresh) {
    const state = (section) => section.querySelector("[data-state]")?.dataset.state;
    return state(fresh) !== state(old) ? `The task is ${state(fresh)}.` : "";
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
    source.onopen = () => { state.textContent = "This page updates itself."; };
    source.onmessage = load;
    source.onerror = () => {
      state.textContent = "Reload the page to see changes.";
      if (source && source.readyState === EventSource.CLOSED) {
        source = null;
        setTimeout(listen, 5000);
      }
    };
  }

  // A browser has few connections to one server; hidden pages take none.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && source) {
      source.close();
      source = null;
    }
    listen();
  });
  listen();
})();
