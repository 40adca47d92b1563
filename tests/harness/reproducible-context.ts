/**
 * One build context, laid out in two ways that must not matter: made in another order, owned by others, with other times
 * (all of them after the epoch), with other names of its files elsewhere, sparse or not, of another umask's folder.
 */
import { chmod, chown, lchown, link, lutimes, mkdir, open, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { close, cwdFd, flags, must, openRaw, toBytes } from "../../src/system/files/at.ts";
import { setXattrRaw } from "../../src/system/files/xattr.ts";

export const epoch = 1_500_000_000;
const before = new Date((epoch - 1000) * 1000);

type Made = { text: string; mode?: number } | { to: string } | { sameAs: string } | { zeros: number };

const kept: [string, Made][] = [
  ["one.txt", { text: "1\n" }],
  ["two.txt", { text: "2\n", mode: 0o600 }],
  ["ignored.txt", { text: "left out\n" }],
  [".dockerignore", { text: "ignored.txt\nnamed\ntree/only\n!tree/only/this\n" }],
  ["tree/run.sh", { text: "#!/bin/sh\necho run\n", mode: 0o755 }],
  ["tree/\u00e4\u00f6 \u00fc", { text: "a name beyond ASCII\n" }],
  ["tree/Z", { text: "Z" }],
  ["tree/a", { text: "a", mode: 0o640 }],
  ["tree/B", { text: "B" }],
  ["tree/deep/er/file", { text: "deep\n" }],
  ["tree/deep/link", { to: "er/file" }],
  ["tree/linked", { text: "one file, two names\n" }],
  ["tree/deep/linked-too", { sameAs: "tree/linked" }],
  ["tree/zeros", { zeros: 1 << 20 }],
  ["tree/old", { text: "older than the epoch\n" }],
  ["tree/only/this", { text: "in again\n" }],
  ["tree/only/not-this", { text: "x\n" }],
  ["named/alone/sub/file", { text: "all of this folder is one user's\n" }],
  ["named/alone/other", { text: "other\n", mode: 0o600 }],
  ["named/mixed/sub/file", { text: "1\n" }],
  ["named/mixed/some-other", { text: "2\n", mode: 0o600 }],
];

const attributes = ["user.b", "user.a", "user.longer-name", "user.c"];

/** Steps that write what it can see of the machine, and everything that a layer can hold. */
const steps = [
  "RUN umask >/umask; hostname >/name; date +%Z >/zone; id >/id; env | sort >/env; cat /etc/hosts >/seen-hosts",
  "RUN mkdir -p /w/d /w/e && echo x >/w/d/x && ln /w/d/x /w/hard && ln -s d /w/soft && mkfifo /w/pipe && chmod 4711 /w/d/x && mv /w/d /w/moved",
  "RUN rm /bin/ash && rm -rf /w/e && mkdir /w/e && for n in 9 3 5 1; do echo $n >/w/e/$n; done && chown -R 5:6 /w/e && touch -d @1400000000 /w/e/3",
];

/** Every kind of step; its named contexts are the folders below `named`. */
export const dockerfile = [
  "FROM busybox AS one",
  "ARG FIRST SECOND=2",
  ...steps,
  "FROM busybox AS two",
  "USER 7:8",
  "WORKDIR /deep/er",
  "COPY --chown=7:8 --chmod=u=rwX,go=rX tree ./tree",
  "FROM scratch AS three",
  "ADD tree.tar /un/",
  "COPY <<one <<two /texts/",
  "1",
  "one",
  "2",
  "two",
  "FROM busybox AS four",
  "COPY --chmod=755 <<'look' /bin/look",
  `find "$1" | sort | while read -r file; do stat -c '%u:%g %a %n' "$file"; done`,
  "look",
  "RUN --mount=type=bind,target=/m look /m >/seen",
  "RUN --mount=type=bind,from=mixed,target=/m look /m >>/seen",
  "RUN --mount=type=bind,from=alone,target=/m look /m >>/seen",
  "RUN --mount=type=bind,from=mixed,source=sub,target=/m,rw touch /m/new && look /m >>/seen",
  "RUN --mount=type=bind,from=alone,target=/m,rw touch /m/new && look /m >>/seen",
  "RUN --mount=type=bind,source=tree,target=/m cp -a /m /copied",
  "RUN --mount=type=bind,target=/m,rw --mount=type=cache,target=/c --mount=type=tmpfs,target=/t touch /m/x /c/x /t/x && ls /m >/names",
  "FROM one",
  "LABEL b=1 a=2 c=3",
  "EXPOSE 90 80/udp 1000",
  "VOLUME /v2 /v1",
  "COPY --from=two /deep /deep",
  "COPY --link --from=three /un /texts /un/",
  "COPY --from=four /seen /names /",
  "COPY --from=four /copied /copied",
  "COPY *.txt tree/* /wild/",
  "COPY --parents tree/./deep/* /parents/",
  "COPY . /all",
  "RUN <<end",
  "cp -a /all/tree /again",
  "end",
  "",
].join("\n");

export interface Layout {
  /** whether all of it is laid out the other way */
  other: boolean;
  dockerfile: string;
  /** bytes of `tree.tar`, which are the same in both */
  archive: Uint8Array;
}

/** Makes the context in `folder` and, for names of its files that are not in it, `<folder>-beside`. */
export async function layOut(folder: string, { other, dockerfile, archive }: Layout): Promise<void> {
  const files: [string, Made][] = [["Dockerfile", { text: dockerfile }], ...kept];
  const plain = files.filter(([, what]) => !("sameAs" in what));
  const again = files.filter(([, what]) => "sameAs" in what);
  await mkdir(folder, { recursive: true });
  await mkdir(`${folder}-beside`, { recursive: true });
  for (const [name, what] of [...(other ? plain.reverse() : plain), ...again])
    await make(folder, name, what, other);
  await writeFile(join(folder, "tree.tar"), archive);
  const names = new Set(["tree.tar", ...files.flatMap(([name]) => withFolders(name))]);
  for (const name of names) if (other) await lay(folder, name);
  await lutimes(join(folder, "tree/old"), before, before);
  await chmod(folder, other ? 0o750 : 0o755);
  if (other) await chown(folder, 4321, 1234);
}

const withFolders = (name: string): string[] =>
  name.includes("/") ? [...withFolders(dirname(name)), name] : [name];

async function make(folder: string, name: string, what: Made, other: boolean): Promise<void> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  if ("to" in what) await symlink(what.to, path);
  else if ("sameAs" in what) await link(join(folder, what.sameAs), path);
  else if ("zeros" in what) await zeros(path, what.zeros, other);
  else {
    await writeFile(path, what.text);
    await chmod(path, what.mode ?? 0o644);
    attribute(path, other);
  }
}

/** Full of zeros, or a hole. */
async function zeros(path: string, size: number, hole: boolean): Promise<void> {
  const file = await open(path, "wx", 0o644);
  if (hole) await file.truncate(size);
  else await file.writeFile(Buffer.alloc(size));
  await file.close();
}

function attribute(path: string, other: boolean): void {
  const fd = must(openRaw(cwdFd, toBytes(path), flags.writeOnly), () => `open ${path}`);
  try {
    for (const key of other ? attributes.toReversed() : attributes)
      must(setXattrRaw(fd, key, Buffer.from(`of ${key}`)), () => `set ${key} of ${path}`);
  } finally {
    close(fd);
  }
}

/** What differs of a file that is there. */
async function lay(folder: string, name: string): Promise<void> {
  const path = join(folder, name);
  await link(path, join(`${folder}-beside`, name.replaceAll("/", "-"))).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPERM") throw error; // a folder has one name
    },
  );
  const [uid, gid] = name.startsWith("named/alone") ? [1000, 100] : [1000 + name.length, 100 + name.length];
  await lchown(path, uid, gid);
  // roots of contexts, which nobody copies
  if (name === "named/alone" || name === "named/mixed") await chmod(path, 0o700);
  const time = new Date((epoch + 10_000 + name.length) * 1000 + 123);
  await lutimes(path, time, time);
}

export const clear = async (folder: string): Promise<void> => {
  await rm(folder, { recursive: true, force: true });
  await rm(`${folder}-beside`, { recursive: true, force: true });
};
