/*
 * linalg: dense decompositions over OpenBLAS's LAPACK, and seeded orthonormal matrices. Row-major. Deterministic.
 */
#ifndef BYLINE_LINALG_H
#define BYLINE_LINALG_H

#include <stdint.h>

#include "byline/err.h"

/* Symmetric a (n,n) -> eigenvalues w (n) ascending and eigenvectors in the COLUMNS of a. The sign of each vector is
 * fixed (its largest component is positive). ERR_FORMAT when a holds NaN or infinity. */
enum err linalg_eigh(float *a, float *w, int n);

/* p (k,d), k <= d: orthonormal rows; row j depends on (seed, stream, d, rows before it) alone, so a smaller k is a
 * prefix. */
enum err linalg_orthonormal_rows(float *p, int k, int d, uint64_t seed, uint64_t stream);

/* out (n,n) = q diag(f) q^T, q's columns the eigenvectors. */
void linalg_from_eig(float *out, const float *q, const float *f, int n);

/* An orthogonal q (n,n) as n (n - 1) / 2 Householder coordinates, of size at most 1, and back: half the numbers, and
 * orthogonal however they are rounded in between. Reflector j is (1, packed entries) on rows j and below, in order of
 * j; q is their product (LAPACK's xORGQR). Its columns come back up to their signs. */
enum err linalg_orthogonal_pack(float *packed, const float *q, int n);
enum err linalg_orthogonal_unpack(float *q, const float *packed, int n);

/* a (n,n) symmetric positive definite <- its Cholesky factor, which linalg_factor_solve understands: b (n) <- a^-1 b.
 * ERR_FORMAT when a is not positive definite. */
enum err linalg_factor_spd(double *a, int n);
void linalg_factor_solve(const double *factor, double *b, int n);

/* Solves a x = b in double, a (n,n) symmetric positive definite, overwritten; b (n) becomes x. For tests and small
 * systems. */
enum err linalg_solve_spd(double *a, double *b, int n);

#endif
