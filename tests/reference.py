"""The equations once more, in plain loops and float64: what the tests compare against.

Written from the papers, a number at a time. Slow on purpose, and none of the package's
code is used. i counts samples, j and h count clusters (in Eq. 1, i
and h both count samples).
"""

import math
from fractions import Fraction

import numpy as np

# -- the input and its neighbours ------------------------------------------------------


def standard_deviation(values):
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))


def tempered_scale(X):
    """Geometric mean of each feature's deviation and their mean.

    That mean for a constant, and 1 where there are only such.
    """
    deviations = []
    for column in np.asarray(X, dtype=np.float64).T.tolist():
        constant = min(column) == max(column)
        deviations.append(0.0 if constant else standard_deviation(column))
    mean = sum(deviations) / len(deviations)
    return np.array([math.sqrt(s * mean) if s else mean or 1.0 for s in deviations])


def cosine_similarity(a, b):
    product = sum(a_c * b_c for a_c, b_c in zip(a, b))
    norms = [math.sqrt(sum(v_c**2 for v_c in v)) for v in (a, b)]
    return product / (norms[0] * norms[1])


def nearest_neighbours(X, m, power=1):
    """The m others nearest to each sample, about the mean.

    By cosine similarity, or where half of the length counts by squared distances.
    """
    centred = X - X.mean(0)
    lengths = [math.sqrt(sum(v_c**2 for v_c in row)) for row in centred]
    scaled = [row / length**0.5 for row, length in zip(centred, lengths)]
    found = []
    for i in range(len(X)):
        if power == 1:
            far = [-cosine_similarity(centred[i], other) for other in centred]
        else:
            far = [sum((scaled[i] - other) ** 2) for other in scaled]
        others = [h for h in range(len(X)) if h != i]
        others.sort(key=far.__getitem__)
        found.append(others[:m])
    return np.array(found)


# -- learning rate ---------------------------------------------------------------------


def one_cycle(progress, warm_up=0.1):
    """From 0 up to 1 over the warm-up, then down along a cosine to 0 at 1."""
    if progress > 1:
        return 0.0
    if progress < warm_up:
        return progress / warm_up
    return (1 + math.cos(math.pi * (progress - warm_up) / (1 - warm_up))) / 2


# -- distances and density: IDCL, Eq. 1 and 2 ------------------------------------------


def squared_distance(a, b):
    total = 0.0
    for a_c, b_c in zip(a, b):
        total += (float(a_c) - float(b_c)) ** 2
    return total


def pair_distances(Z):
    """Distances of all pairs, from small to large."""
    distances = []
    for i in range(len(Z)):
        for h in range(i + 1, len(Z)):
            distances.append(math.sqrt(squared_distance(Z[i], Z[h])))
    return sorted(distances)


def ceil_share(fraction, size):
    """ceil(fraction * size) of the fraction as it is written, in exact arithmetic."""
    return math.ceil(Fraction(str(fraction)) * size)


def cutoff_distance(Z, quantile):
    distances = pair_distances(Z)
    if not distances or distances[-1] == 0:
        return 1.0
    if distances[ceil_share(quantile, len(distances)) - 1] == 0:
        distances = [d for d in distances if d > 0]
    return distances[ceil_share(quantile, len(distances)) - 1]


def kernel_value(squared, cutoff, kernel):
    if kernel == "gaussian":
        return math.exp(-((math.sqrt(squared) / cutoff) ** 2))
    return 1.0 if math.sqrt(squared) < cutoff else 0.0


def local_density(Z, cutoff, kernel):
    density = np.zeros(len(Z))
    for i in range(len(Z)):
        for h in range(len(Z)):
            if h != i:
                squared = squared_distance(Z[i], Z[h])
                density[i] += kernel_value(squared, cutoff, kernel)
    return density


def density_against(Z, others, cutoff, kernel):
    density = np.zeros(len(Z))
    for i in range(len(Z)):
        for other in others:
            squared = squared_distance(Z[i], other)
            density[i] += kernel_value(squared, cutoff, kernel)
    return density


def difficulty_score(density):
    low, high = min(density), max(density)
    if low == high:
        return np.ones(len(density))
    return np.array([(rho - low) / (high - low) for rho in density])


# -- the curriculum: IDCL, Eq. 5 to 8 --------------------------------------------------


def exponential_pacing(epoch, n_epochs, lambda_0):
    """The same factor every epoch, of which T lead from lambda_0 to 1."""
    share, factor = lambda_0, (1 / lambda_0) ** (1 / n_epochs)
    for _ in range(min(epoch, n_epochs)):
        share *= factor
    return share


def linear_pacing(epoch, n_epochs, lambda_0):
    """The same summand every epoch, of which T lead from lambda_0 to 1."""
    share, step = lambda_0, (1 - lambda_0) / n_epochs
    for _ in range(min(epoch, n_epochs)):
        share += step
    return share


def power_pacing(epoch, n_epochs, lambda_0, exponent):
    if epoch >= n_epochs:
        return 1.0
    return lambda_0 + (1 - lambda_0) * math.pow(epoch / n_epochs, exponent)


def capped_fraction(fraction, lambda_max):
    return lambda_max if fraction > lambda_max else fraction


def highest_of_cluster(score, labels, label, fraction):
    """Members by score, the highest first; of equal ones the earlier sample."""
    members = [i for i in range(len(labels)) if labels[i] == label]
    n_taken = ceil_share(fraction, len(members))
    taken = []
    while len(taken) < n_taken:
        best = None
        for i in members:
            if i not in taken and (best is None or score[i] > score[best]):
                best = i
        taken.append(best)
    return taken


def select_easiest(difficulty, labels, fraction):
    chosen = []
    for label in {int(label) for label in labels}:
        chosen += highest_of_cluster(difficulty, labels, label, fraction)
    return sorted(chosen)


# -- assignment: IDCL, Eq. 9 to 14; DECS, Eq. 5 ----------------------------------------


def density_core(density, labels, fraction):
    return {
        label: highest_of_cluster(density, labels, label, fraction)
        for label in {int(label) for label in labels}
    }


def core_similarity(Z, cores):
    """Eq. 10 by its definition; ``cores`` lists the core's points of each cluster."""
    s = np.zeros((len(Z), len(cores)))
    for i in range(len(Z)):
        for j, points in enumerate(cores):
            for point in points:
                s[i, j] += squared_distance(Z[i], point) / len(points)
    return s


def idcl_refresh(Z, labels, core_fraction, quantile, scale):
    """Eq. 1, 2 and 9 to 11 in a row: difficulty, and assignment to the labels' cores.

    Each cluster must have samples.
    """
    density = local_density(Z, cutoff_distance(Z, quantile), "gaussian")
    samples = density_core(density, labels, core_fraction)
    cores = [[Z[i] for i in samples[j]] for j in range(len(samples))]
    return difficulty_score(density), soft_assignment(core_similarity(Z, cores) / scale)


def likeliest_clusters(q):
    return np.array([max(range(len(row)), key=row.__getitem__) for row in q])


def squared_distances_to(Z, centres):
    d = np.zeros((len(Z), len(centres)))
    for i in range(len(Z)):
        for j in range(len(centres)):
            d[i, j] = squared_distance(Z[i], centres[j])
    return d


def soft_assignment(squared_distances, alpha=1.0):
    n, k = squared_distances.shape
    q = np.zeros((n, k))
    for i in range(n):
        kernel = []
        for j in range(k):
            kernel.append((1 + squared_distances[i, j] / alpha) ** (-(alpha + 1) / 2))
        for j in range(k):
            q[i, j] = kernel[j] / sum(kernel)
    return q


def kernel_scale(squared_distances, labels):
    """A quarter of the mean squared distance to the own centre; 1 in place of 0."""
    total = 0.0
    for i, label in enumerate(labels):
        total += squared_distances[i, label]
    return total / len(labels) / 4 or 1.0


def running_shares(shares, n_before, q, at_most):
    """Mean of the clusters' shares of earlier samples, of these at most so many, and q.

    And of how many samples that is.
    """
    n_before = min(n_before, at_most)
    n = n_before + len(q)
    together = []
    for j in range(len(shares)):
        together.append((n_before * shares[j] + sum(row[j] for row in q)) / n)
    return np.array(together), n


def cluster_balance(q):
    """KL divergence of the clusters' shares from equal shares."""
    n, k = q.shape
    total = 0.0
    for j in range(k):
        share = sum(q[i, j] for i in range(n)) / n
        if share > 0:
            total += share * math.log(share / (1 / k))
    return total


def cluster_balance_gradient(q):
    """dB / dq_ij = (log(k q_j) + 1) / n, where no cluster is empty."""
    n, k = q.shape
    gradient = np.zeros((n, k))
    for j in range(k):
        share = sum(q[i, j] for i in range(n)) / n
        for i in range(n):
            gradient[i, j] = (math.log(k * share) + 1) / n
    return gradient


def mutual_information(first, second):
    n, total = len(first), 0.0
    for j in set(first):
        for h in set(second):
            n_j = sum(label == j for label in first)
            n_h = sum(label == h for label in second)
            n_both = sum(a == j and b == h for a, b in zip(first, second))
            if n_both:
                total += n_both / n * math.log(n * n_both / (n_j * n_h))
    return total


def normalised_cut(weights, side):
    """Weight of the edges between two sides, over each side's edges to all nodes."""
    n, cut, first, rest = len(weights), 0.0, 0.0, 0.0
    for i in range(n):
        for j in range(n):
            if side[i]:
                first += weights[i][j]
            else:
                rest += weights[i][j]
            if side[i] and not side[j]:
                cut += weights[i][j]
    return (cut / first if first else 1.0) + (cut / rest if rest else 1.0)


def view_information(labels):
    """Mean mutual information of all pairs of labellings, in nats."""
    values = []
    for a in range(len(labels)):
        for b in range(a):
            values.append(mutual_information(labels[a].tolist(), labels[b].tolist()))
    return sum(values) / len(values)


def net_information(labels, price):
    """Shared information less `price` times H(c | c'): sums over every pair."""
    total, n_pairs = 0.0, 0
    for a in labels:
        for b in labels:
            if a is b:
                continue
            n_pairs += 1
            for j in set(a):
                for m in set(b):
                    p_jm = np.mean((a == j) & (b == m))
                    if p_jm:
                        p_j, p_m = np.mean(a == j), np.mean(b == m)
                        total += p_jm * math.log(p_jm / (p_j * p_m))  # shared
                        total += price * p_jm * math.log(p_jm / p_m)  # minus H(c|c')
    return total / n_pairs


def target_distribution(Q):
    n, k = Q.shape
    frequency = [sum(Q[i, j] for i in range(n)) for j in range(k)]
    P = np.zeros((n, k))
    for i in range(n):
        weight = []
        for j in range(k):
            weight.append(Q[i, j] ** 2 / frequency[j] if frequency[j] else 0.0)
        for j in range(k):
            P[i, j] = weight[j] / sum(weight)
    return P


def kl_divergence(P, Q):
    total = 0.0
    for p_row, q_row in zip(P, Q):
        for p, q in zip(p_row, q_row):
            if p > 0:
                total += p * math.log(p / q)
    return total / len(P)


def core_silhouette(similarity):
    values = []
    for row in similarity:
        ordered = sorted(row)
        if len(ordered) == 1 or ordered[1] == 0:
            values.append(0.0)
        else:
            values.append((ordered[1] - ordered[0]) / ordered[1])
    return np.array(values)


def mean_squared_error(x, y):
    total, count = 0.0, 0
    for a, b in zip(np.ravel(x), np.ravel(y)):
        total, count = total + (float(a) - float(b)) ** 2, count + 1
    return total / count


def kl_gradient_z(Z, cores, P):
    """IDCL, Eq. 15, over n since the loss is a mean over samples."""
    n, d = Z.shape
    s = core_similarity(Z, cores)
    q = soft_assignment(s)
    gradient = np.zeros((n, d))
    for i in range(n):
        for j, points in enumerate(cores):
            factor = 2 / (1 + s[i, j]) * (P[i, j] - q[i, j])
            for c in range(d):
                mean = sum(point[c] for point in points) / len(points)
                gradient[i, c] += factor * (Z[i, c] - mean) / n
    return gradient


# -- sample stability: DECS, Eq. 6 to 8 ------------------------------------------------


def between_class_variance(counts, n_below):
    """w_0 w_1 (mu_0 - mu_1)^2 with the first ``n_below`` bins below, exactly."""
    n_bins = len(counts)
    weights, moments = [0, 0], [0, 0]  # the moments in halves of a bin
    for b, count in enumerate(counts):
        side = 0 if b < n_below else 1
        weights[side] += count
        moments[side] += count * (2 * b + 1)
    if 0 in weights:
        return Fraction(0)
    means = [Fraction(m, w * 2 * n_bins) for m, w in zip(moments, weights)]
    gap = means[0] - means[1]
    total = sum(weights)
    return Fraction(weights[0], total) * Fraction(weights[1], total) * gap**2


def histogram(q, n_bins):
    counts = [0] * n_bins
    for value in np.ravel(q):
        counts[min(int(float(value) * n_bins), n_bins - 1)] += 1
    return counts


def otsu_threshold(q, n_bins=1000):
    """Best inner edge; the mean of the first run of equally good ones."""
    counts = histogram(q, n_bins)
    best, edges = None, []
    for edge in range(1, n_bins):
        if edge == 1 or counts[edge - 1]:  # an empty bin moves nothing across
            variance = between_class_variance(counts, edge)
        if best is None or variance > best:
            best, edges = variance, [edge]
        elif variance == best and edge == edges[-1] + 1:
            edges.append(edge)
    return sum(edges) / len(edges) / n_bins


def determinacy(q, threshold, form):
    fq = np.zeros(q.shape)
    for i in range(q.shape[0]):
        for j in range(q.shape[1]):
            if q[i, j] < threshold:
                share = (threshold - q[i, j]) / threshold
            else:
                share = (q[i, j] - threshold) / (1 - threshold)
            fq[i, j] = share if form == "linear" else share**2
    return fq


def sample_stability(fq, lambda_var):
    stability = []
    for row in fq:
        k = len(row)
        mean = sum(row) / k
        variance = sum((value - mean) ** 2 for value in row) / k
        stability.append(mean - lambda_var * variance)
    return np.array(stability)


def instability(sq):
    return 1 - sum(sq) / len(sq)


def decs_loss(Z, centres, threshold, alpha, lambda_var, form):
    """Eq. 5 to 8 in a row, at a given threshold."""
    q = soft_assignment(squared_distances_to(Z, centres), alpha)
    return instability(sample_stability(determinacy(q, threshold, form), lambda_var))


# -- the gradients of DECS: Eq. 9 to 17 ------------------------------------------------


def d_stability_d_determinacy(fq_i, lambda_var):
    """Eq. 10, for one sample."""
    k = len(fq_i)
    mean = sum(fq_i) / k
    return [1 / k - 2 * lambda_var / k * (fq_ij - mean) for fq_ij in fq_i]


def d_determinacy_d_q(q_ij, threshold, form):
    """Eq. 11; the slope of the linear form where that is asked for."""
    below = q_ij < threshold
    if form == "linear":
        return -1 / threshold if below else 1 / (1 - threshold)
    return 2 * (q_ij - threshold) / (threshold if below else 1 - threshold) ** 2


def student_kernel(z_i, centre, alpha):
    """(1 + d^2 / alpha)^(-(alpha + 1) / 2) and its gradient with respect to z_i."""
    base = 1 + squared_distance(z_i, centre) / alpha
    slope = -(alpha + 1) / alpha * base ** (-(alpha + 3) / 2)
    gradient = [slope * (z_c - m_c) for z_c, m_c in zip(z_i, centre)]
    return base ** (-(alpha + 1) / 2), np.array(gradient)


def d_q_d_z(z_i, centres, alpha):
    """Eq. 14 at any alpha, by the quotient rule: (k, d)."""
    kernels = [student_kernel(z_i, centre, alpha) for centre in centres]
    total = sum(value for value, _ in kernels)
    d_total = sum(gradient for _, gradient in kernels)
    return [(g * total - value * d_total) / total**2 for value, g in kernels]


def d_q_d_centre(z_i, centres, j, alpha):
    """Eq. 15 at any alpha, for one centre: row h is dq_ih / dm_j, (k, d)."""
    kernels = [student_kernel(z_i, centre, alpha) for centre in centres]
    total = sum(value for value, _ in kernels)
    d_kernel = -kernels[j][1]  # a centre's step is the sample's step turned about
    rows = []
    for h, (value, _) in enumerate(kernels):
        own = d_kernel if h == j else 0 * d_kernel
        rows.append((own * total - value * d_kernel) / total**2)
    return rows


def d_q_d_z_as_printed(z_i, centres):
    """Eq. 13 and 14 as they are printed, with alpha = 1, a component at a time."""
    k, d = centres.shape
    inverse_a = np.diag([1 / (1 + squared_distance(z_i, centres[j])) for j in range(k)])
    ones = np.ones((1, k))
    total = ones @ inverse_a @ ones.T  # I A^-1 I^T
    jacobian = np.zeros((k, d))
    for c in range(d):
        B = -np.diag([2 * z_i[c] - 2 * centres[j, c] for j in range(k)])
        slope = inverse_a @ inverse_a @ B
        first = slope @ ones.T @ ones @ inverse_a @ ones.T
        second = inverse_a @ ones.T @ ones @ slope @ ones.T
        jacobian[:, c] = ((first - second) / (total @ total))[:, 0]
    return jacobian


def decs_gradients(Z, centres, threshold, alpha, lambda_var, form):
    """Eq. 16 and 17: the gradients with respect to Z and to the centres."""
    n, k = len(Z), len(centres)
    q = soft_assignment(squared_distances_to(Z, centres), alpha)
    fq = determinacy(q, threshold, form)
    by_z, by_centres = np.zeros(Z.shape), np.zeros(centres.shape)
    for i in range(n):
        outer = []  # dL_c / dq_ih, by Eq. 9, 10 and 11
        for h, by_fq in enumerate(d_stability_d_determinacy(fq[i], lambda_var)):
            outer.append(-1 / n * by_fq * d_determinacy_d_q(q[i, h], threshold, form))
        for h, row in enumerate(d_q_d_z(Z[i], centres, alpha)):
            by_z[i] += outer[h] * row
        for j in range(k):
            for h, row in enumerate(d_q_d_centre(Z[i], centres, j, alpha)):
                by_centres[j] += outer[h] * row
    return by_z, by_centres


# -- networks and augmentation ---------------------------------------------------------


def sinusoidal_positions(n_positions, width):
    encoding = np.zeros((n_positions, width))
    for p in range(n_positions):
        for i in range(width // 2):
            angle = p / 10_000 ** (2 * i / width)
            encoding[p, 2 * i] = math.sin(angle)
            encoding[p, 2 * i + 1] = math.cos(angle)
    return encoding


def pixel(image, row, column):
    height, width = image.shape
    inside = 0 <= row < height and 0 <= column < width
    return float(image[row, column]) if inside else 0.0


def rotate_and_shift(image, degrees, shift):
    """Each pixel (h, w) from where it was, in pixels, about the centre; bilinear.

    ``shift`` is a share of the width along x and of the height along y.
    """
    height, width = image.shape
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    moved = np.zeros((height, width))
    for row in range(height):
        for column in range(width):
            y, x = row - (height - 1) / 2, column - (width - 1) / 2
            from_x = cos * x - sin * y + shift * width + (width - 1) / 2
            from_y = sin * x + cos * y + shift * height + (height - 1) / 2
            left, top = math.floor(from_x), math.floor(from_y)
            for r in (top, top + 1):
                for c in (left, left + 1):
                    weight = (1 - abs(from_y - r)) * (1 - abs(from_x - c))
                    moved[row, column] += weight * pixel(image, r, c)
    return moved
