// Shows the interface's documentation; a file of its own, since no page runs inline script.
window.addEventListener("DOMContentLoaded", () => {
  const page = document.getElementById("swagger-ui");
  SwaggerUIBundle({
    url: page.dataset.openapi,
    dom_id: "#swagger-ui",
    deepLinking: true,
    presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset],
  });
});
