/** The program: picks a role by its first word and loads only that. */
const words = process.argv.slice(2);
const asked = words[0] === "help" ? words[1] : undefined;
const [role, ...rest] = asked === "daemon" || asked === "doctor" ? [asked, "--help"] : words;

async function main(): Promise<number> {
  switch (role) {
    case "daemon":
      return (await import("./api/daemon.ts")).main(
        rest,
        async () => (await import("./cli/hosted/run.ts")).runHosted,
      );
    case "doctor":
      return (await import("./engine/info/doctor.ts")).doctor(rest);
    default:
      return (await import("./cli/main.ts")).main(words);
  }
}

process.exit(await main());

export {};
