import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

mkdirSync("dist/assets", { recursive: true });
const source = readFileSync("src/main.mjs", "utf8");
writeFileSync("dist/main.mjs", source.replace("__BUILT__", JSON.stringify("by build.mjs")));
writeFileSync("dist/assets/empty.css", "");
