/** Around one article: the way back, and its title. */

import { type ReactNode, useEffect, useRef } from "react";
import { Button } from "../../ui/button";
import { BackIcon } from "../../ui/icons";

export function ArticleFrame({
  title,
  onClose,
  action,
  children,
}: {
  title: string;
  onClose: () => void;
  action?: ReactNode;
  children: ReactNode;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  // Whoever comes here by keyboard or by ear starts at the top of it.
  useEffect(() => heading.current?.focus(), []);
  return (
    <section className="flex flex-col gap-4">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <Button look="quiet" className="-ml-3" onClick={onClose}>
          <BackIcon className="size-4" /> Back
        </Button>
        {action}
      </div>
      <h2 ref={heading} tabIndex={-1} className="text-lg font-semibold break-words outline-none">
        {title}
      </h2>
      {children}
    </section>
  );
}
