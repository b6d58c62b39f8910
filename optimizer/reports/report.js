// Draws each chart from the block of data that follows its place, and makes it fit the paper.
for (const place of document.querySelectorAll("[data-chart]")) {
  const chart = JSON.parse(place.nextElementSibling.textContent);
  Plotly.newPlot(place, chart.data, chart.layout, chart.config);
}
const fit = (width) => {
  for (const place of document.querySelectorAll("[data-chart]")) {
    Plotly.relayout(place, width ? { width, autosize: false } : { width: null, autosize: true });
  }
};
window.addEventListener("beforeprint", () => fit(660));
window.addEventListener("afterprint", () => fit(0));
