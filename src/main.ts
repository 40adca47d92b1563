/** The program: picks a role by its first word and loads only that. */
const [role, ...rest] = process.argv.slice(2);

async function main(): Promise<number> {
  switch (role) {
    case "daemon":
      return (await import("./api/daemon.ts")).main(
        rest,
        async () => (await import("./cli/hosted/run.ts")).runHosted,
      );
    case "doctor":
      return (await import("./engine/doctor.ts")).doctor((text) => process.stdout.write(text));
    case "registry":
      process.stderr.write("berth registry is not built yet\n");
      return 1;
    default:
      return (await import("./cli/main.ts")).main(process.argv.slice(2));
  }
}

process.exit(await main());

export {};
