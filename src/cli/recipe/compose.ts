import type { Composed, Recipe } from "./option.ts";

type Tree = { [key: string]: Composed };

/** A compose file with this one service; volumes and networks it names exist already. */
export function composeFile(recipe: Recipe): string {
  const service: Tree = {
    container_name: recipe.name,
    image: recipe.image,
    ...(recipe.entrypoint === undefined ? {} : { entrypoint: recipe.entrypoint }),
    ...(recipe.command === undefined ? {} : { command: recipe.command }),
  };
  for (const { key, composed } of recipe.options)
    if (key && composed !== undefined) put(service, key.split("."), composed);
  const volumes = asList(service["volumes"]).flatMap(namedVolume);
  const networks = Object.keys(asTree(service["networks"]));
  const external = (names: string[]): Tree =>
    Object.fromEntries(names.map((name) => [name, { external: true }]));
  const file: Tree = {
    services: { [recipe.name]: service },
    ...(volumes.length > 0 ? { volumes: external([...new Set(volumes)]) } : {}),
    ...(networks.length > 0 ? { networks: external(networks) } : {}),
  };
  return lines(file, "").join("\n");
}

const asList = (value: Composed | undefined): string[] => (Array.isArray(value) ? value : []);
const asTree = (value: Composed | undefined): Tree =>
  typeof value === "object" && !Array.isArray(value) ? value : {};

const namedVolume = (spec: string): string[] => {
  const [source = "", target] = spec.split(":");
  return target !== undefined && !source.startsWith("/") ? [source] : [];
};

/** Lists and maps that meet at one key are joined. */
function put(tree: Tree, [key = "", ...deeper]: string[], value: Composed): void {
  const present = Object.hasOwn(tree, key) ? tree[key] : undefined;
  if (deeper.length > 0) {
    const branch = asTree(present);
    put(branch, deeper, value);
    tree[key] = branch;
  } else if (Array.isArray(present) && Array.isArray(value)) tree[key] = [...present, ...value];
  else if (typeof present === "object" && typeof value === "object")
    tree[key] = { ...asTree(present), ...asTree(value) };
  else tree[key] = value;
}

function lines(tree: Tree, indent: string): string[] {
  return Object.entries(tree).flatMap(([key, value]) => {
    const head = `${indent}${scalar(key)}:`;
    if (Array.isArray(value))
      return value.length === 0
        ? [`${head} []`]
        : [head, ...value.map((item) => `${indent}  - ${scalar(item)}`)];
    if (typeof value !== "object") return [`${head} ${scalar(value)}`];
    return Object.keys(value).length === 0 ? [`${head} {}`] : [head, ...lines(value, `${indent}  `)];
  });
}

/** Plain where YAML and compose read it as the same text, else in JSON's quotes, which YAML shares. */
export function scalar(value: string | number | boolean): string {
  if (typeof value !== "string") return String(value);
  const literal = value.replaceAll("$", "$$$$");
  const plain = /^[A-Za-z_/][\w./@-]*(?::[\w./@-]+)*$/.test(literal);
  const special = /^(y|n|yes|no|true|false|on|off|null)$/i.test(literal);
  return plain && !special ? literal : JSON.stringify(literal);
}
