/*
 * curvature: Kronecker-factored curvature of one checkpoint, and the whitened projections made from it.
 *
 * For a linear layer with inputs a_t (in) and output gradients g_t (out), labels drawn from the model:
 *   A = E[a a^T] = Q_A diag Q_A^T,  S = E[g g^T] = Q_S diag Q_S^T          (K-FAC: Martens, Grosse 2015)
 *   L = E_examples[(Q_S^T G Q_A)^2], G = sum_t g_t a_t^T                    (EK-FAC: George et al. 2018, eq. 6)
 *   H^-1 V ~ Q_S [ (Q_S^T V Q_A) / (L + 0.1 mean L) ] Q_A^T                 (Grosse et al. 2023, eq. 21)
 * Where out is larger than CURVATURE_MAX_SIDE, Q_S is the identity. Projections (design section 5):
 *   P_A (k_a, in) = R_A (A + 0.1 tr(A)/in I)^-1/2,  P_S (k_s, out) likewise, identity instead of whitening for the head;
 *   R orthonormal rows from the run's projection seed, the same for every checkpoint; k_a = min(k, in), k_s = min(k, out).
 */
#ifndef BYLINE_CURVATURE_H
#define BYLINE_CURVATURE_H

#include <stdbool.h>
#include <stdint.h>

#include "byline/dataset.h"
#include "byline/err.h"
#include "byline/job.h"
#include "byline/model.h"
#include "byline/pool.h"
#include "byline/safetensors.h"

#define CURVATURE_MAX_SIDE 4096

struct curvature_layer {
	int linear;			/* index into model->linears */
	int in, out, ka, ks;
	float *qa;			/* (in, in) columns are eigenvectors */
	float *qs;			/* (out, out), NULL: identity */
	float *lambda;			/* (out, in) in the eigenbasis */
	float damping;
	float *pa, *ps;			/* (ka, in), (ks, out) */
};

struct curvature {
	int n_layers;
	struct curvature_layer *layers;
};
void curvature_free(struct curvature *c);

/* The layers that carry features: MLP matrices and the unembedding. *linear has *n entries, the caller's. */
void curvature_layers(const struct model *m, int **linear, int *n);

struct curvature_options {
	int k;				/* projection width a side: 64, or 32 */
	uint64_t seed;			/* of projections and sampled labels */
	uint64_t max_tokens;		/* tokens used for A, S and L; the first examples of a seeded shuffle; 0: all */
	double whiten_damping;		/* 0.1 */
	double damping;			/* 0.1, times mean L */
};

enum err curvature_compute(struct curvature *c, const struct model *m, const float *params, const struct dataset *data,
	const struct curvature_options *o, struct pool *pool, struct job *job);

/* curvature.safetensors: tensors "<prefix>.<linear name>.{qa,qs,lambda,pa,ps}", dtype F16 or F32. */
enum err curvature_save(const char *path, const struct model *m, const struct curvature *c, int n, const char *const *prefix,
	const struct curvature_options *o, enum st_dtype dtype);
enum err curvature_load(const struct st_file *f, const char *prefix, const struct model *m, struct curvature *c);

/* v (out, in) <- H^-1 v for layer l. scratch: 2 * out * in floats. */
void curvature_solve(const struct curvature_layer *l, float *v, float *scratch);

#endif
