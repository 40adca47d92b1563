import { EngineError } from "../lib/errors.ts";
import { openLoopDevice } from "../system/mount/loop-device.ts";
import { unmount } from "../system/mount/mount.ts";
import { mountCall } from "../system/mount/mount-call.ts";
import type { WorkerPort } from "../system/workers/worker.ts";
import type { MountCalls } from "./local/worker.ts";

type Handlers = { [Name in keyof MountCalls]: (args: MountCalls[Name]["args"]) => undefined };

const handlers: Handlers = {
  mount: (call) => void mountCall(call),
  mountImage: ({ image, target }) => {
    const { device, close } = openLoopDevice(image);
    try {
      mountCall({ source: device, target, type: "ext4", flags: 0, data: "" });
    } finally {
      close();
    }
  },
  unmount: ({ target }) => {
    while (unmount(target));
  },
};

export function start(port: WorkerPort): void {
  port.onCall((method, args) => {
    if (!Object.hasOwn(handlers, method))
      throw new EngineError("internal", `the volumes worker has no ${method}`);
    return handlers[method as keyof Handlers](args);
  });
}
