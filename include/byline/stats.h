/*
 * stats: ranks and agreement. Pure functions; n >= 1 unless said.
 */
#ifndef BYLINE_STATS_H
#define BYLINE_STATS_H

#include <stddef.h>
#include <stdint.h>

double stats_mean(const double *v, size_t n);
double stats_sd(const double *v, size_t n);			/* n - 1 in the denominator; 0 for n < 2 */
double stats_quantile(double *v, size_t n, double p);		/* sorts v; linear interpolation */
void stats_ranks(const double *v, size_t n, double *rank);	/* 1..n, ties get their mean rank */
double stats_pearson(const double *x, const double *y, size_t n);	/* NaN when one is constant */
double stats_spearman(const double *x, const double *y, size_t n);
/* NDCG@k of ranking by `got`, gains max(0, truth), log2 discount (Jarvelin, Kekalainen 2002). */
double stats_ndcg(const double *got, const double *truth, size_t n, size_t k);

/* Indices of the k largest (sign +1) or smallest (-1) of v, best first; ties by lower index. Returns min(k, n). */
size_t stats_top(const float *v, size_t n, size_t k, int sign, uint32_t *out);

#endif
