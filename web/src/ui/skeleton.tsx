/** The shape of what is about to come. */

export function Skeleton({ className }: { className: string }) {
  return (
    <span aria-hidden="true" className={`block animate-shimmer rounded-md bg-line ${className}`} />
  );
}
