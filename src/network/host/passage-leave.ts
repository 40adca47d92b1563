import type { State } from "../../state/database.ts";
import { readFact, writeFact } from "../../state/facts.ts";

const fact = "network.pass-firewalls";

/** Whether other firewalls are to let containers' packets through: as configured, or once asked for by a repair. */
export class PassageLeave {
  private readonly state: State;
  private readonly configured: boolean | undefined;
  private given: boolean | undefined;

  constructor(state: State, configured: boolean | undefined) {
    this.state = state;
    this.configured = configured;
  }

  get granted(): boolean {
    this.given ??= readFact(this.state, fact) === "yes";
    return this.configured ?? this.given;
  }

  /** The administrator asked for it. */
  grant(): void {
    writeFact(this.state, fact, "yes");
    this.given = true;
  }
}
