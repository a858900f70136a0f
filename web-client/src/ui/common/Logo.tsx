import iconUrl from '../../icon.svg';

export function Logo({ size }: { size: number }) {
  return <img src={iconUrl} width={size} height={size} alt="" />;
}
