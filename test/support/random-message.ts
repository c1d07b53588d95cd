import { type DescEnum, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

type Random = () => number;

/** A whole number from 0 up to, and without, a bound. */
export function upTo(random: Random, bound: number): number {
  return Math.floor(random() * bound);
}

/** Options of `randomMessage`. */
export interface RandomMessageOptions {
  readonly random: Random;
  /** Texts that mean something to whoever reads the message. */
  readonly words: readonly string[];
  /** Messages in messages, at most. */
  readonly depth?: number;
}

const numbers = [
  0n,
  1n,
  2n,
  10n,
  1_000n,
  65_536n,
  2n ** 31n - 1n,
  -1n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];
const oddTexts = ["", "\u0000", "é\u{1F600}", " ", "../..", "a".repeat(300), "%00%n"];
const entryParts = { key: 1, value: 2 } as const;

/** Bytes of a message of a type, with values of the right kinds in about half of its fields. */
export function randomMessage(desc: DescMessage, options: RandomMessageOptions): Uint8Array {
  const { random } = options;
  const writer = new BinaryWriter();
  for (const field of desc.fields) {
    if (random() < 0.5) continue;
    const { number } = field;
    switch (field.fieldKind) {
      case "list":
        for (let left = upTo(random, 4); left > 0; left -= 1)
          write(writer, number, field.message ?? field.enum ?? field.scalar, options);
        break;
      case "map":
        for (let left = upTo(random, 4); left > 0; left -= 1) {
          const entry = new BinaryWriter();
          write(entry, entryParts.key, field.mapKey, options);
          write(entry, entryParts.value, field.message ?? field.enum ?? field.scalar, options);
          writer.tag(number, WireType.LengthDelimited).bytes(entry.finish());
        }
        break;
      default:
        write(writer, number, field.message ?? field.enum ?? field.scalar, options);
    }
  }
  return writer.finish();
}

function write(
  writer: BinaryWriter,
  number: number,
  type: DescMessage | DescEnum | ScalarType | undefined,
  options: RandomMessageOptions,
): void {
  const { random, words, depth = 6 } = options;
  const pick = <T>(list: readonly T[], otherwise: T) =>
    list[upTo(random, list.length)] ?? otherwise;
  const integer = pick(numbers, 0n);
  if (typeof type === "object") {
    if (type.kind === "enum") {
      writer.tag(number, WireType.Varint).int32(upTo(random, type.values.length + 2));
    } else if (depth > 0) {
      const inner = randomMessage(type, { ...options, depth: depth - 1 });
      writer.tag(number, WireType.LengthDelimited).bytes(inner);
    }
    return;
  }
  switch (type) {
    case ScalarType.STRING:
      writer
        .tag(number, WireType.LengthDelimited)
        .string(random() < 0.8 ? pick(words, "") : pick(oddTexts, ""));
      return;
    case ScalarType.BYTES:
      writer
        .tag(number, WireType.LengthDelimited)
        .bytes(Uint8Array.from({ length: upTo(random, 40) }, () => upTo(random, 256)));
      return;
    case ScalarType.BOOL:
      writer.tag(number, WireType.Varint).bool(random() < 0.5);
      return;
    case ScalarType.DOUBLE:
      writer.tag(number, WireType.Bit64).double(pick([0, -1.5, 1e308, Number.NaN, Infinity], 0));
      return;
    case ScalarType.UINT32:
      writer.tag(number, WireType.Varint).uint32(Number(BigInt.asUintN(32, integer)));
      return;
    case ScalarType.INT32:
      writer.tag(number, WireType.Varint).int32(Number(BigInt.asIntN(32, integer)));
      return;
    case ScalarType.UINT64:
      writer.tag(number, WireType.Varint).uint64(BigInt.asUintN(64, integer));
      return;
    case ScalarType.INT64:
      writer.tag(number, WireType.Varint).int64(integer);
      return;
    default:
      // A kind that the proto came to use: it is to be written here, not to be left out.
      throw new Error(`no random value is made of scalar ${type}`);
  }
}
