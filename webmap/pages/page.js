// Beside the map of a page: the card of a record and the names of areas. Texts become text nodes, never markup.

/* global L */
L.Control.Attribution.prototype.options.prefix = "Leaflet"; // without its link: there may be nowhere to go
L.Control.Scale.prototype.options.imperial = false;

const said = (id) => JSON.parse(document.getElementById(id).textContent);

function card(feature) {
  const titles = said("titles");
  const table = document.createElement("table");
  feature.properties.cells.forEach((value, column) => {
    if (value === null) return;
    const row = table.insertRow();
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = titles[column];
    row.append(head);
    row.insertCell().textContent = value;
  });
  return table;
}

/** Gives a record its card: one row for each of the page's titled columns that it has a value for. */
globalThis.bindCard = (feature, layer) => {
  layer.bindPopup(() => card(feature), { maxWidth: 340, maxHeight: 320, className: "record" });
};

/** Writes the name of an area in its middle. */
globalThis.bindName = (feature, layer) => {
  const { name } = feature.properties;
  if (!name) return;
  const text = document.createElement("span");
  text.textContent = name;
  layer.bindTooltip(text, { permanent: true, direction: "center", className: "name" });
};

/** Says above the switches of the classes what they are classes of. */
globalThis.titleLegend = () => {
  document.querySelector(".leaflet-control-layers-overlays").dataset.title = said("legend");
};
