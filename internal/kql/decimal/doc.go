// Package decimal computes with Kusto's decimal type: 34 significant digits, in
// base ten, as IEEE 754's decimal128.
//
// In a plan and in SQL a decimal is its text: digits with a point where one is
// needed, no zeros at the end of a fraction, no exponent, "-" in front, never "-0".
// One number has one text, so that texts compare, group and join as the numbers
// do; their order is Compare's. Sizes are bounded by maxDigits and maxExponent;
// what is beyond is not a number here.
package decimal
