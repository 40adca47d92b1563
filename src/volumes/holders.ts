/** Who holds which volume now. */
export class Holders {
  private readonly users = new Map<string, Map<string, string>>();

  of(volume: string): string[] {
    return [...(this.users.get(volume)?.keys() ?? [])];
  }

  /** What a user holds. */
  by(user: string): string[] {
    return [...this.users].flatMap(([volume, users]) => (users.has(user) ? [volume] : []));
  }

  /** Where `user` found the volume's data; undefined where it does not hold it. */
  pathOf(volume: string, user: string): string | undefined {
    return this.users.get(volume)?.get(user);
  }

  add(volume: string, user: string, path: string): void {
    const users = this.users.get(volume);
    if (users) users.set(user, path);
    else this.users.set(volume, new Map([[user, path]]));
  }

  rename(volume: string, to: string, path: string): void {
    const users = this.users.get(volume);
    if (!users) return;
    this.users.delete(volume);
    this.users.set(to, new Map([...users.keys()].map((user) => [user, path])));
  }

  /** Whether it was held. */
  delete(volume: string, user: string): boolean {
    const users = this.users.get(volume);
    if (!users?.delete(user)) return false;
    if (users.size === 0) this.users.delete(volume);
    return true;
  }
}
