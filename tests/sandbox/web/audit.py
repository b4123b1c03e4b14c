"""What is wrong with a page for people who see it badly, or not at all, or on a small screen."""

AUDIT = r"""
() => {
  const wrong = [];
  const parsed = colour => { const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number); return {r, g, b, a}; };
  const luminance = ({r, g, b}) => [r, g, b]
    .map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (one, other) => {
    const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const behind = element => {
    for (let one = element; one; one = one.parentElement) {
      const colour = parsed(getComputedStyle(one).backgroundColor);
      if (colour.a === 1) return colour;
      if (colour.a > 0) wrong.push(`translucent background: ${one.className}`);
    }
    return {r: 255, g: 255, b: 255};
  };
  const shown = element => element.checkVisibility() && !element.closest(".unseen, .skip, thead");
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) wrong.push(`wider than the screen: ${document.documentElement.scrollWidth}`);
  for (const element of document.querySelectorAll("body *")) {
    if (!shown(element)) continue;
    const box = element.getBoundingClientRect();
    if (box.width && (box.right > width + 1 || box.left < -1)) wrong.push(`off the screen: ${element.outerHTML.slice(0, 80)}`);
    if (element.clientWidth && element.scrollWidth > element.clientWidth + 1 && !element.matches("select, input, textarea"))
      wrong.push(`cut off: ${element.outerHTML.slice(0, 80)}`);
    const style = getComputedStyle(element);
    const words = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (words || element.matches("input, select, textarea")) {
      const ratio = contrast(parsed(style.color), behind(element));
      if (ratio < 4.5) wrong.push(`contrast ${ratio.toFixed(2)}: ${element.outerHTML.slice(0, 80)}`);
    }
    if (element.matches("input, select, textarea, button")) {
      const line = contrast(parsed(style.borderTopColor), behind(element.parentElement));
      if (line < 3 && !element.matches("[type=radio], [type=checkbox]")) wrong.push(`border ${line.toFixed(2)}: ${element.outerHTML.slice(0, 80)}`);
      if (box.height < 24 && !element.matches("[type=radio], [type=checkbox]")) wrong.push(`small: ${element.outerHTML.slice(0, 80)}`);
    }
    if (element.matches("button, .yes") && box.height > 60) wrong.push(`a button breaks its words: ${element.textContent}`);
  }
  for (const field of document.querySelectorAll("input:not([type=hidden]), select, textarea"))
    if (!field.labels.length || !field.labels[0].textContent.trim()) wrong.push(`no label: ${field.name}`);
  for (const one of document.querySelectorAll("a, button"))
    if (!(one.getAttribute("aria-label") || one.textContent).trim()) wrong.push(`no name: ${one.outerHTML}`);
  for (const one of document.querySelectorAll("[aria-labelledby], [aria-describedby]"))
    for (const id of `${one.getAttribute("aria-labelledby") || ""} ${one.getAttribute("aria-describedby") || ""}`.trim().split(/\s+/))
      if (!document.getElementById(id)) wrong.push(`points nowhere: ${id}`);
  const ids = [...document.querySelectorAll("[id]")].map(one => one.id);
  if (new Set(ids).size !== ids.length) wrong.push("an id is there twice");
  const levels = [...document.querySelectorAll("h1, h2, h3, h4")].map(one => Number(one.tagName[1]));
  if (levels[0] !== 1 || levels.filter(level => level === 1).length !== 1) wrong.push("not one h1");
  if (levels.some((level, i) => i && level > levels[i - 1] + 1)) wrong.push("a level of headings is left out");
  for (const mark of ["header", "main", "footer", "nav"]) if (!document.querySelector(mark)) wrong.push(`no ${mark}`);
  for (const nav of document.querySelectorAll("nav, section")) if (!nav.matches("[aria-label], [aria-labelledby]")) wrong.push(`no name: ${nav.outerHTML.slice(0, 80)}`);
  for (const table of document.querySelectorAll("table"))
    if (!table.caption || [...table.querySelectorAll("th")].some(one => !one.scope) || ![...table.rows].every(row => row.querySelector("th"))) wrong.push("a table without caption or headers");
  if (!document.documentElement.lang || !document.title) wrong.push("no language or no title");
  if (document.querySelectorAll("[aria-live], [role=status], [role=alert]").length > 2) wrong.push("too many live regions");
  return wrong;
}
"""
"""A function of JavaScript that gives a list of complaints; contrast is that of WCAG 2, level AA."""
