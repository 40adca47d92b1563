/** Who holds which volume now. */
export class Holders {
  private readonly users = new Map<string, Set<string>>();

  of(volume: string): string[] {
    return [...(this.users.get(volume) ?? [])];
  }

  add(volume: string, user: string): void {
    const users = this.users.get(volume);
    if (users) users.add(user);
    else this.users.set(volume, new Set([user]));
  }

  /** Whether it was held. */
  delete(volume: string, user: string): boolean {
    const users = this.users.get(volume);
    if (!users?.delete(user)) return false;
    if (users.size === 0) this.users.delete(volume);
    return true;
  }
}
