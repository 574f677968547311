/*
 * curvature: Kronecker-factored curvature of one checkpoint, and the whitened projections made from it.
 *
 * For a linear layer with inputs a_t (in) and output gradients g_t (out) of a sequence's summed loss, labels drawn from
 * the model:
 *   A = E[a a^T] = Q_A diag Q_A^T,  S = E[g g^T] = Q_S diag Q_S^T, over tokens  (K-FAC: Martens, Grosse 2015)
 *   L = E_examples[(Q_S^T G Q_A)^2], G = sum_t g_t a_t^T                        (EK-FAC: George et al. 2018, eq. 6)
 *   H^-1 V ~ Q_S [ (Q_S^T V Q_A) / (L + 0.1 mean L) ] Q_A^T                     (Grosse et al. 2023, eq. 21)
 * Projections (design section 5), k rows a side, or as many as the side has:
 *   P_A (k, in) = R_A (A + 0.1 tr(A)/in I)^-1/2,  P_S (k, out) likewise;
 *   R orthonormal rows from the run's projection seed, the same for every checkpoint.
 *
 * The output side of the unembedding has no basis (the identity): its V x V matrices would outweigh the model. It is
 * whitened by the diagonal of S, each token's own second moment: rare tokens tell examples apart, and without this the
 * frequent ones drown them (sample corpus: LDS of the layer 0.10 without, 0.38 with). A side longer than
 * CURVATURE_MAX_SIDE has no basis and no whitening.
 *
 * Layers: the MLP's down projections and the unembedding. The others add noise (sample corpus: exact scores over these
 * LDS 0.40, over gate and up too 0.40, over gate, up and down alone 0.20) and cost as much again.
 *
 * A Q that is not quite orthogonal lets the large directions, which curvature_solve damps most, leak into the small
 * ones. So a basis lives on disk as its Householder coordinates in half precision (linalg_orthogonal_pack): a quarter
 * of the bytes of float, and orthogonal however they are rounded. L is measured in the basis as it will be read back.
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

struct curvature_side {
	int n, k;			/* features of the layer's inputs or outputs; rows of p */
	float *q;			/* (n, n) columns are eigenvectors; NULL: identity */
	float *w;			/* (n) eigenvalues, ascending; NULL: unknown */
	float mean;			/* where w is unknown, what stands for each of them */
	float *p;			/* (k, n) the projection; NULL where there is a diagonal */
	float *diagonal;		/* (n) second moments, of the unembedding's outputs; NULL elsewhere */
	float *weight;			/* (n) (diagonal + 0.1 mean)^-1/2 */
};

struct curvature_layer {
	int linear;			/* index into model->linears */
	int in, out;
	struct curvature_side a, s;	/* inputs; output gradients */
	float *lambda;			/* (out, in): L in the eigenbasis */
	float damping;			/* > 0 */
};

struct curvature {
	int n_layers;
	struct curvature_layer *layers;
};
void curvature_free(struct curvature *c);		/* safe on a zeroed struct */
/* Frees q, w and lambda and keeps the projections, which are all that features need. */
void curvature_drop_solve(struct curvature *c);

/* The layers that carry features: down projections and the unembedding. *linear has *n entries, the caller's. */
void curvature_layers(const struct model *m, int **linear, int *n);

struct curvature_options {
	int k;				/* projection width a side: 64, or 32; of the unembedding's inputs twice that */
	uint64_t seed;			/* of projections, sampled labels and the sample of examples */
	uint64_t max_tokens;		/* tokens used for A, S and L; the first examples of a seeded shuffle; 0: all */
	double whiten_damping;		/* 0.1 */
	double damping;			/* 0.1, times mean L */
	/* Of a small sample L knows little: a word nobody drew has none at all. As if so many more examples had been
	 * seen whose L is what K-FAC says, T w_S w_A^T with T targets an example. 0: L as measured. */
	int prior;
};
void curvature_defaults(struct curvature_options *o);	/* k 64, seed 0, all tokens */

/* Two passes over the sample: A and S, then L. The same bits for any number of threads. c is the caller's to free. */
enum err curvature_compute(struct curvature *c, const struct model *m, const float *params, const struct dataset *data,
	const struct curvature_options *o, struct pool *pool, struct job *job);

/*
 * curvature.safetensors, for each checkpoint ("prefix") and layer:
 *   "<prefix>.<linear name>.qa", ".qs"   F16 (n (n - 1) / 2): the basis, linalg_orthogonal_unpack; none where it is the
 *     identity
 *   ".wa", ".ws"                         F32 (n): eigenvalues
 *   ".ds"                                F32 (n): the diagonal, of the unembedding
 *   ".lambda"                            (out, in) F32, or U8: code c stands for top * 2^((c - 255) / step), 0 for 0
 *   ".scale"                             F32 (3): damping, top, step
 * Projections are made again from the basis and the seed
 * in the metadata. dtype is that of lambda: U8 is within 5%, far less than L's own sampling error, at a quarter of the
 * bytes.
 */
struct curvature_meta { const char *key, *value; };	/* more metadata for the file */
enum err curvature_save(const char *path, const struct model *m, const struct curvature *c, int n,
	const char *const *prefix,
	const struct curvature_options *o, enum st_dtype dtype, const struct curvature_meta *meta, int n_meta);
/* pool may be NULL. Everything is checked; the result is the caller's to free. */
enum err curvature_load(const struct st_file *f, const char *prefix, const struct model *m, struct pool *pool,
	struct curvature *c);

/* Gives the unembedding's outputs a whitened projection on k directions too, for whoever wants all layers alike. */
enum err curvature_project_vocabulary(struct curvature *c, int k, uint64_t seed);

/* v (out, in) <- H^-1 v for layer l. scratch: 2 * out * in floats. */
void curvature_solve(const struct curvature_layer *l, float *v, float *scratch);

#endif
