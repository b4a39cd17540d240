/** Something is under way. Stands still, but stays readable, for people who want less motion. */

export function Spinner({ className = "size-4" }: { className?: string }) {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 20 20"
      fill="none"
      strokeWidth="2"
      strokeLinecap="round"
      className={`shrink-0 animate-spin ${className}`}
    >
      <circle cx="10" cy="10" r="7" stroke="currentColor" opacity="0.3" />
      <path d="M10 3a7 7 0 0 1 7 7" stroke="currentColor" />
    </svg>
  );
}
