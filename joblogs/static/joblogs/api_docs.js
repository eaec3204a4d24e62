// Shows the OpenAPI document with Swagger UI.
"use strict";
(() => {
  const root = document.getElementById("swagger-ui");
  SwaggerUIBundle({
    url: root.dataset.schema,
    domNode: root,
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    deepLinking: true,
    // By default it sends the document to a validator on the internet.
    validatorUrl: null,
  });
})();
