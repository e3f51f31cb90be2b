"use strict";
(() => {
  const text = document.getElementById("text"), severity = document.getElementById("severity"), feed = document.getElementById("feed");
  const none = document.getElementById("none");
  if (!text) return;
  document.querySelector(".filter").hidden = false;
  const groups = [...document.querySelectorAll("details[data-severity]")].map((group) => ({
    group,
    rule: group.querySelector("summary").textContent.toLowerCase(),
    feeds: JSON.parse(group.dataset.feeds),
    rows: [...group.querySelectorAll("tbody tr")].map((row) => ({ row, text: row.textContent.toLowerCase(), feeds: JSON.parse(row.dataset.feeds) })),
  }));
  const apply = () => {
    const wanted = text.value.trim().toLowerCase();
    let shown = 0;
    for (const { group, rule, feeds, rows } of groups) {
      const right = (!severity.value || group.dataset.severity === severity.value) && (!feed.value || feeds.includes(feed.value));
      let any = false;
      for (const entry of rows) {
        const fits = (!wanted || rule.includes(wanted) || entry.text.includes(wanted)) && (!feed.value || !entry.feeds.length || entry.feeds.includes(feed.value));
        entry.row.hidden = !fits;
        any ||= fits;
      }
      const visible = right && (any || (!wanted && rows.length === 0) || (!wanted && feed.value));
      group.hidden = !visible;
      if (visible) shown += 1;
      if (visible && wanted && any) group.open = true;
    }
    none.hidden = shown > 0;
  };
  for (const control of [text, severity, feed]) control.addEventListener("input", apply);
  const open = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") { target.hidden = false; target.open = true; target.scrollIntoView(); }
  };
  addEventListener("hashchange", open);
  document.querySelectorAll(".rules a").forEach((link) => link.addEventListener("click", () => setTimeout(open)));
  open();
})();
