import type { Container } from "./container.ts";

/** Who uses each image, as its own or for a mount, and who names each volume: of all containers at one moment. */
export class Uses {
  private readonly images = new Map<string, Container[]>();
  private readonly volumes = new Map<string, Container[]>();

  constructor(containers: Iterable<Container>) {
    for (const container of containers) {
      add(this.images, container.imageId, container);
      for (const { image, volume } of container.spec.mounts) {
        if (image) add(this.images, image.id, container);
        if (volume !== undefined) add(this.volumes, volume, container);
      }
    }
  }

  ofImage(id: string): readonly Container[] {
    return this.images.get(id) ?? [];
  }

  ofVolume(name: string): readonly Container[] {
    return this.volumes.get(name) ?? [];
  }
}

function add(users: Map<string, Container[]>, key: string, container: Container): void {
  const known = users.get(key);
  if (!known) users.set(key, [container]);
  else if (known.at(-1) !== container) known.push(container);
}
