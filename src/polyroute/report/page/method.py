"""How the numbers were made, with formulas; docs/measures.md has every quantity."""

from __future__ import annotations

from polyroute.report.page.html import Markup, joined, tag
from polyroute.report.page.study import Study

FORMULAS = (
    ("Routing of a sentence", "q_l = mean over its tokens of softmax(router logits), a distribution over the E experts "
     "of layer l (soft_mass); of recorded counts, the share of choices (topk_count)", "Paper 1, Eq. 1."),
    ("Divergence",
     "D(p, q) = JSD(p, q) / (ln E − (H(p) + H(q)) / 2),   JSD(p, q) = H((p + q) / 2) − (H(p) + H(q)) / 2",
     "0: the same routing; 1: as far apart as these entropies allow. Paper 1, Eq. 2 and 6 to 8. Intervals resample "
     "sentences for a language and languages for a model."),
    ("Alignment of translations", "A = 1 − mean_i D(i in English, i in x) / mean_ij D(i in English, j in x),   j: "
     "other sentences of about as many tokens", "0: chance, 1: the same routing. Our own; it is ranked among random "
     "initialisations of the same architecture."),
    ("Entropy and consistency", "H(q) = −Σ_e q_e ln q_e in nats;   C = mean over token pairs of |A ∩ B| / |A ∪ B|",
     "A, B: the experts of two tokens of a sentence. Paper 1, section 4.4."),
    ("Specialisation", "Delta_e = frequency of expert e on a text − its frequency on generic English",
     "Above tau: an expert of the task, or multilingual if any language is above. Paper 1, Eq. 3."),
    ("Shared and exclusive experts", "share_x(e) = use of e in language x / its use in all languages; exclusive: "
     "share > thr; shared: in some top k and no share > thr", "Paper 2's release."),
    ("Divergence and accuracy", "r = Pearson over languages of (mean D of the middle zone, accuracy)",
     "p by permuting languages; intervals leave one language out at a time, and one family."),
    ("Soft steering", "z_e ← z_e + λ std(z) for the experts e of a plan, z: the token's router logits",
     "Activation sets them to the largest logit, deactivation to the smallest; toward shared experts z_e ← z_e + λ s_e "
     "|z_e|. Plans are chosen on one half of the items and evaluated on the other, beside random experts of like "
     "frequency."),
    ("Verdicts", "q by Benjamini and Hochberg over the claims of a model; a claim is replicated if all of its "
     "conditions hold, not replicated if one refutes it",
     "Conditions were fixed before any run; claims/lock.yaml shows whether one was changed since."),
)  # fmt: skip


def method(study: Study) -> Markup:
    """Formulas, a card each."""
    settings = study.settings
    said = (
        f"Intervals have {settings.confidence:.0%} coverage, from {settings.resamples:,} resamples where they are "
        f"bootstrapped; everything that is drawn is drawn with the seed {settings.seed}, so that the same inputs give "
        "the same bytes."
    )
    cards = [tag("div", tag("h4", name), tag("p", formula, class_="formula"), tag("p", more, class_="note"),
                 class_="card") for name, formula, more in FORMULAS]  # fmt: skip
    return joined([tag("p", said), tag("div", *cards, class_="cards")])
