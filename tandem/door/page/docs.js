// The API's description, drawn from the door's own /openapi.json.
import { element } from "/page/card.js";

const KINDS = {
  INVALID_ARGUMENT: "What was sent can't be used. The detail says what is allowed. Mend it; sending the same again fails again.",
  UNAUTHENTICATED: "A key is needed, or this one isn't known: Authorization: Bearer KEY, or X-API-Key: KEY.",
  RESOURCE_EXHAUSTED: "Over a limit on rate or number. Send again after Retry-After seconds.",
  NOT_FOUND: "There is no such path or service.",
  UNIMPLEMENTED: "The door does not pass this on, or the path has another method.",
  UNAVAILABLE: "The server is away for the moment. Send again.",
  DEADLINE_EXCEEDED: "No answer, or no whole request, in time. Send again.",
  INTERNAL: "The server failed on it; its operator finds it by the request's id.",
};

function panel(...children) {
  const made = element("section", "panel");
  made.append(...children);
  return made;
}

function code(text) { return element("pre", "", text); }

function operation(path, { post }, schemas) {
  const example = `curl -F file=@${path.endsWith("id_card") ? "photo.jpg" : "FILE"} ${location.origin}${path}`;
  const parts = [element("h2", "", `POST ${path}`), element("p", "", post.summary), code(example)];
  const bodies = Object.keys(post.requestBody.content).join(", ");
  parts.push(element("p", "note", `Bodies: ${bodies}`));
  for (const parameter of post.parameters ?? []) {
    const kind = parameter.schema.type ?? "";
    parts.push(element("p", "", `?${parameter.name} (${kind}, default ${JSON.stringify(parameter.schema.default ?? null)}): ${parameter.description ?? ""}`));
  }
  const answer = post.responses["200"].content["application/json"].schema.anyOf[0].$ref.split("/").pop();
  parts.push(element("p", "note", `Answer: ${answer}`), code(JSON.stringify(schemas[answer], null, 2)));
  return panel(...parts);
}

const told = await (await fetch("/openapi.json")).json();
const main = document.querySelector("#main");
main.append(panel(element("h2", "", "The API"), element("p", "", told.info.description)));
for (const [path, each] of Object.entries(told.paths)) main.append(operation(path, each, told.components.schemas));
const kinds = panel(element("h2", "", "Problems"), code(JSON.stringify(told.components.schemas.Problem, null, 2)));
for (const [name, text] of Object.entries(KINDS)) {
  const line = element("p", "", `${name}: ${text}`);
  line.id = `problem-${name}`;
  kinds.append(line);
}
main.append(kinds);
if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
