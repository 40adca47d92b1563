/** Queries for tests, and answers taken apart. */
export interface AskOptions {
  id?: number;
  flags?: number;
  /** size of an EDNS client's buffer */
  edns?: number;
}

export function question(name: string, type: number, { id = 0x1234, flags = 0x0100, edns }: AskOptions = {}) {
  const labels = name.split(".").filter((label) => label !== "");
  const names = labels.map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)]));
  const header = Buffer.alloc(12);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(flags, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(edns === undefined ? 0 : 1, 10);
  const opt = edns === undefined ? [] : [Buffer.of(0, 0, 41, edns >> 8, edns & 255, 0, 0, 0, 0, 0, 0)];
  return Buffer.concat([header, ...names, Buffer.of(0, 0, type, 0, 1), ...opt]);
}

interface ReadReply {
  id: number;
  flags: number;
  rcode: number;
  truncated: boolean;
  /** data of the answer records: dotted, hexadecimal, or a name */
  answers: string[];
  ttls: number[];
  additional: number;
}

/** Of replies whose records' names are pointers, as ours are. */
export function readReply(message: Buffer): ReadReply {
  const flags = message.readUInt16BE(2);
  const answers: string[] = [];
  const ttls: number[] = [];
  let at = message.readUInt16BE(4) === 0 ? 12 : message.indexOf(0, 12) + 5;
  for (let count = message.readUInt16BE(6); count > 0; count--) {
    const type = message.readUInt16BE(at + 2);
    ttls.push(message.readUInt32BE(at + 6));
    const length = message.readUInt16BE(at + 10);
    answers.push(readData(type, message.subarray(at + 12, at + 12 + length)));
    at += 12 + length;
  }
  const truncated = (flags & 0x0200) !== 0;
  const additional = message.readUInt16BE(10);
  return { id: message.readUInt16BE(0), flags, rcode: flags & 15, truncated, answers, ttls, additional };
}

function readData(type: number, data: Buffer): string {
  if (type === 1) return data.join(".");
  if (type !== 12) return data.toString("hex");
  const labels: string[] = [];
  for (let at = 0; data[at] !== 0; at += (data[at] ?? 0) + 1)
    labels.push(data.toString("latin1", at + 1, at + 1 + (data[at] ?? 0)));
  return labels.join(".");
}
