/**
 * Dockerfiles of the kinds that people publish, each a folder beside this file: what they need, and what the image does
 * when it runs. `scripts/compare-builds.ts` also builds them with Docker and compares what came out.
 */

/** Toolchains that take long to install, made once: a folder of `bases/`, under the name that Dockerfiles use. */
export type Toolchain = "golang" | "node" | "python" | "rust" | "openjdk";

export interface PublishedBuild {
  name: string;
  toolchain?: Toolchain;
  /** arguments of `docker build`, beside the folder */
  args?: string[];
  /** a command's arguments, and what it says */
  run?: { args?: string[]; says: string | RegExp };
  /** a service: what is executed in it until it says this, and its exit code once it is stopped (137: it has to be killed) */
  serve?: { probe: string[]; says: string; stops: number };
  /** where BuildKit's image is another, and ours is as it should be: what `scripts/compare-builds.ts` then passes over */
  unlike?: readonly Unlike[];
  /** made in seconds of what is on the machine: every run of the tests builds it */
  quick?: boolean;
}

export interface Unlike {
  /** as the comparison names it */
  where: string;
  /** what differs begins with it */
  what: string;
  why: string;
}

/**
 * BuildKit mounts /etc/hosts and /etc/resolv.conf on files that its OCI runtime makes where the base has none, and takes
 * them away after the step: /etc keeps the time of that, though no step wrote in it. Ours has the time of the base.
 */
const timeOfEtc: Unlike = {
  where: '"/etc"',
  what: "mtime",
  why: "BuildKit's mount points were made in it and taken away again",
};

/** BuildKit makes a here document's file once and keeps it, also for builds with `--no-cache`: its time is of that build. */
const timesOfHereDocuments = (...paths: string[]): Unlike[] =>
  paths.map((path) => ({
    where: JSON.stringify(path),
    what: "mtime",
    why: "BuildKit made the here document in an earlier build",
  }));

const folder = import.meta.dir;

export const publishedBuilds: PublishedBuild[] = [
  {
    name: "apt-cache",
    args: ["--secret", `id=token,src=${folder}/apt-cache/token`],
    run: { says: '{"length":19}\n' },
  },
  { name: "c-shared", run: { args: ["1", "2", "39"], says: "42\n" } },
  { name: "c-static-scratch", run: { args: ["you"], says: "static hello to you from process 1\n" } },
  { name: "distroless", quick: true, run: { says: "perl without a shell: none, user nonroot\n" } },
  {
    name: "go",
    toolchain: "golang",
    args: ["--build-arg", "VERSION=1.0"],
    run: { says: "hello world 1.0 10001\n" },
  },
  {
    name: "go-distroless",
    toolchain: "golang",
    serve: {
      probe: ["/app", "-probe"],
      says: "served by 65532 in /home/nonroot, Europe/Berlin, certificates: true\n",
      stops: 0,
    },
  },
  {
    name: "hardened",
    unlike: [timeOfEtc],
    run: {
      says: /^4755 0:0 regular file 1 \S+suid-id$/m,
    },
  },
  {
    name: "heredoc",
    unlike: timesOfHereDocuments("/entry", "/etc/settings/expanded", "/etc/settings/plain"),
    quick: true,
    run: {
      says: [
        "linux/amd64",
        "two",
        "not $expanded here",
        "expanded 1.2.3-rc1",
        "by perl",
        "major 1",
        "rest 2.3-rc1",
        "major $MAJOR",
        "1 2.3-rc1 default yes 1-2-3-rc1\n",
      ].join("\n"),
    },
  },
  {
    name: "java",
    toolchain: "openjdk",
    run: { args: ["two", "more"], says: "Greeting[text=java [more, two] in /opt/java]\n" },
  },
  {
    name: "monorepo",
    quick: true,
    args: ["--build-arg", "SERVICE=web"],
    run: { says: "from shared of web\nfrom web of web\n" },
  },
  {
    name: "nginx",
    serve: { probe: ["curl", "-sSf", "http://127.0.0.1/"], says: "served by nginx\n", stops: 0 },
  },
  {
    name: "node",
    unlike: [timeOfEtc],
    toolchain: "node",
    serve: {
      probe: ["node", "src/probe.js"],
      says: "a page; user 1000, production, .dockerignore README.md package.json public src\n",
      stops: 0,
    },
  },
  { name: "node-multi", toolchain: "node", run: { says: "*** by build.mjs ***\n" } },
  {
    name: "onbuild-app",
    unlike: [timeOfEtc],
    quick: true,
    run: { says: "compiled for release\n" },
  },
  {
    name: "php",
    serve: { probe: ["php", "probe.php"], says: "php in prod at /var/www\n", stops: 137 },
  },
  {
    name: "python",
    serve: {
      probe: ["python3", "-m", "app.probe"],
      says: "python, user 1001, in /code\n",
      stops: 0,
    },
  },
  {
    name: "python-venv",
    toolchain: "python",
    run: { args: ["b", "a", "b"], says: "a=1 b=2 /opt/venv\n" },
  },
  {
    name: "redis",
    serve: { probe: ["redis-cli", "ping"], says: "PONG\n", stops: 0 },
  },
  { name: "ruby", run: { args: ["shout", "it"], says: "SHOUT IT as Integer\n" } },
  { name: "rust", unlike: [timeOfEtc], toolchain: "rust", run: { says: "fib(50) = 12586269025\n" } },
  {
    name: "static-site",
    quick: true,
    serve: {
      probe: ["wget", "-qO-", "http://127.0.0.1:8080/about.html"],
      says: "<h1>about</h1>\nAbout it.\n",
      stops: 137,
    },
  },
];
