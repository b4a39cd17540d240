/** Short news at the bottom of the screen, with at most one thing to do about it. */

import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useRef,
  useState,
} from "react";
import { IconButton } from "./button";
import { CloseIcon } from "./icons";

export interface Toast {
  text: string;
  tone?: "plain" | "danger";
  action?: { label: string; act: () => void };
}

const SHOWN_FOR_MILLIS = 5_000;
const ToastContext = createContext<(toast: Toast) => void>(() => {});

export function useToast(): (toast: Toast) => void {
  return useContext(ToastContext);
}

export function ToastProvider({ children }: { children: ReactNode }) {
  const [shown, setShown] = useState<{ toast: Toast; id: number } | null>(null);
  const counter = useRef(0);
  const show = useCallback((toast: Toast) => {
    counter.current += 1;
    setShown({ toast, id: counter.current });
  }, []);
  const close = useCallback(() => setShown(null), []);
  useEffect(() => {
    if (shown === null) return;
    const timer = setTimeout(close, SHOWN_FOR_MILLIS);
    return () => clearTimeout(timer);
  }, [shown, close]);
  return (
    <ToastContext value={show}>
      {children}
      <div
        role="status"
        className="pointer-events-none fixed inset-x-0 bottom-0 z-50 flex justify-center px-4 pb-[calc(5.5rem+env(safe-area-inset-bottom))]"
      >
        {shown !== null && (
          <div
            key={shown.id}
            className={`pointer-events-auto flex animate-rise items-center gap-1 rounded-xl py-1 pr-1 pl-4 text-sm shadow-[0_8px_28px_var(--shadow)] ${
              shown.toast.tone === "danger"
                ? "bg-danger-fill text-accent-ink"
                : "bg-[light-dark(#1c2029,#e9ebef)] text-[light-dark(#ffffff,#14171f)]"
            }`}
          >
            <span className="py-2 pr-2">{shown.toast.text}</span>
            {shown.toast.action && (
              <button
                type="button"
                className="min-h-9 rounded-lg px-3 font-semibold hover:bg-[rgb(127_127_127/0.25)] max-md:min-h-11"
                onClick={() => {
                  shown.toast.action?.act();
                  close();
                }}
              >
                {shown.toast.action.label}
              </button>
            )}
            <IconButton
              label="Dismiss"
              className="text-inherit! hover:bg-[rgb(127_127_127/0.25)]!"
              onClick={close}
            >
              <CloseIcon className="size-4" />
            </IconButton>
          </div>
        )}
      </div>
    </ToastContext>
  );
}
