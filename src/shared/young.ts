/**
 * CPU time after which a program stands back behind those that have just begun, milliseconds. Some ten
 * times what a short program takes.
 */
export const youngMs = 50;
