/**
 * One end of a connection, to be run inside a network namespace.
 *   serve PORT…          answers TCP and UDP on each port with "PORT CLIENT-ADDRESS"
 *   ask tcp|udp IP PORT [FROM]  prints the answer, or the error's code; a UDP question comes from port FROM
 */
import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";

const [mode, ...args] = process.argv.slice(2);
const plain = (address = ""): string => address.replace(/^::ffff:/, "");

function serve(port: number): void {
  createServer((socket) => socket.end(`${port} ${plain(socket.remoteAddress)}`)).listen(port, "0.0.0.0");
  const udp = createSocket("udp4");
  udp.on("message", (_message, { address, port: from }) => udp.send(`${port} ${address}`, from, address));
  udp.bind(port, "0.0.0.0");
}

function askTcp(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect({ host, port });
    socket.setTimeout(1000, () => {
      resolve("timeout");
      socket.destroy();
    });
    socket.on("data", (data) => {
      answer += data.toString();
    });
    socket.on("error", (error) => resolve((error as { code?: string }).code ?? error.message));
    socket.on("close", () => resolve(answer));
  });
}

function askUdp(host: string, port: number, from: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    socket.on("message", (message) => resolve(message.toString()));
    socket.on("error", (error) => resolve((error as { code?: string }).code ?? error.message));
    socket.bind(from, () => socket.send("?", port, host));
    setTimeout(() => resolve("timeout"), 1000);
  });
}

if (mode === "serve") {
  for (const port of args) serve(Number(port));
  process.stdout.write("ready\n");
} else {
  const [protocol, host = "", port, from] = args;
  process.stdout.write(
    await (protocol === "udp" ? askUdp(host, Number(port), Number(from ?? 0)) : askTcp(host, Number(port))),
  );
  process.exit(0);
}
