import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";

const server = createServer((_request, response) => {
  const page = readFileSync("public/index.txt", "utf8").trim();
  const user = process.getuid();
  response.end(`${page}; user ${user}, ${process.env.NODE_ENV}, ${readdirSync(".").sort().join(" ")}\n`);
});
server.listen(3000);
process.on("SIGTERM", () => server.close(() => process.exit(0)));
