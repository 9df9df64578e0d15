"""Every controlled term of a record or a spec: its key, label, meaning and, where it has one, its source.

The records, the JSON Schema, the documentation tables and the command line all read these lists, so a term is
added here and nowhere else. Each list is a dict from key to :class:`Term`, in the order in which it should be shown.
"""

from dataclasses import dataclass

__all__ = [
    "ALLOCATION",
    "ALTERNATIVE_KIND",
    "ANALYSIS_GROUP",
    "ASCERTAINMENT",
    "BASIS",
    "BIAS_JUDGEMENT",
    "BIAS_TOOL",
    "CERTAINTY",
    "COMPARATORS",
    "CONCEPT",
    "CONCERN",
    "COUNTRY",
    "DENOMINATOR",
    "DESIGN",
    "DIRECTION",
    "INTEGRATION",
    "INTERVENTIONS",
    "PARTICIPANTS_WHAT",
    "PUBLISHED_MEASURE",
    "RATED_UP",
    "READ",
    "READING_KIND",
    "REPORT_KIND",
    "REVIEW_KIND",
    "SCALE",
    "SIGNIFICANT",
    "SOURCE_KIND",
    "STATUS",
    "SUSPICION",
    "TREATMENT",
    "VOCABULARIES",
    "WINDOW",
    "YES_NO",
    "Term",
]


@dataclass(frozen=True, slots=True)
class Term:
    """One controlled term: what is written in a file, what is shown, and what it means."""

    key: str
    label: str
    definition: str
    source: str = ""


def _terms(*rows: tuple[str, str, str] | tuple[str, str, str, str]) -> dict[str, Term]:
    return {row[0]: Term(*row) for row in rows}


STATUS = _terms(
    (
        "included",
        "included",
        "Meets the inclusion rule of the dataset; may be pooled where an analysis selects it.",
    ),
    ("awaiting", "awaiting classification", "Found, but what was read does not settle whether it belongs."),
    ("ongoing", "ongoing", "Registered or running; no results published."),
    ("excluded", "excluded", "Read and left out; the reason is in `status_reason`."),
    ("superseded", "superseded", "Replaced by another record, named in `status_reason`."),
)

REPORT_KIND = _terms(
    ("journal-article", "journal article", "A paper in a scholarly journal."),
    ("protocol", "protocol", "The published plan of a study."),
    ("report", "report", "A report by a body outside journals (grey literature)."),
    ("thesis", "thesis", "A doctoral or master's thesis."),
    ("registry-entry", "registry entry", "An entry in a trials register."),
    ("conference", "conference contribution", "An abstract, poster or talk."),
    ("web-page", "web page", "A page that reports the study and is not one of the above."),
)

SOURCE_KIND = _terms(
    ("full-text", "full text", "The report itself, beyond its abstract."),
    ("abstract", "abstract", "The abstract of a report of the study."),
    ("registry", "register", "An entry in a trials register or its results section."),
    (
        "secondary",
        "secondary source",
        "Another paper that gives the number: a review, a protocol, a study profile.",
    ),
    ("grey", "grey literature", "A report, article or page outside scholarly journals."),
)

READ = _terms(
    ("full-text", "full text", "All of the source was read."),
    ("part", "part", "A part beyond the abstract was read: a table, a page, a results section."),
    ("abstract", "abstract", "Only the abstract or summary was read."),
    ("none", "not read", "The source is known to exist; nothing of it was read."),
)

BASIS = _terms(
    ("reported", "reported", "Read as such in the cited source."),
    (
        "derived",
        "derived",
        "Computed from numbers that were read, by the rule given, with one possible result.",
    ),
    ("bounded", "bounded", "What is printed leaves a set of possible counts; `alternatives` lists it."),
    ("approximate", "approximate", "No whole number fits what is printed with the n that was read."),
    (
        "reconstructed",
        "reconstructed",
        "Rests on something that was not read; never in an analysis by default.",
    ),
)

DESIGN = _terms(
    ("rct", "randomised trial", "Persons were allocated to arms at random."),
    (
        "pilot-rct",
        "pilot randomised trial",
        "A randomised trial that calls itself a pilot or feasibility trial.",
    ),
    (
        "cluster-rct",
        "cluster-randomised trial",
        "Groups of persons (sites, offices) were allocated at random.",
    ),
    ("quasi-experimental", "quasi-experiment", "A comparison group without random allocation."),
    ("single-arm", "single-arm study", "One group followed, without a comparison group."),
    ("routine-service", "routine service", "A service in operation that reports on its own clients."),
    (
        "programme-study",
        "study of programmes",
        "Programmes or sites compared with one another, as fidelity with employment; nobody is allocated.",
    ),
)

ALLOCATION = _terms(
    ("randomised", "randomised", "Persons came into this arm by random allocation."),
    (
        "cluster-randomised",
        "cluster-randomised",
        "Persons came into this arm with their randomly allocated cluster.",
    ),
    ("not-randomised", "not randomised", "Persons came into this arm in another way."),
)

INTERVENTIONS = _terms(
    ("ips", "IPS", "Individual Placement and Support as described by its manual."),
    ("ips-adapted", "adapted IPS", "IPS with changes to some of its principles, called so by its authors."),
    (
        "ips-augmented",
        "augmented IPS",
        "IPS plus an add-on (skills training, cognitive remediation, incentives).",
    ),
    (
        "ips-bundle",
        "IPS in a bundle",
        "IPS inside a larger package, so that its own part cannot be told apart.",
    ),
    ("supported-employment", "supported employment", "Supported employment that is not called IPS."),
    (
        "mixed-programme",
        "programme with IPS among others",
        "An employment programme that gives IPS to some of its clients.",
    ),
    ("other-programme", "other employment programme", "An employment programme that is not supported employment."),
)

COMPARATORS = _terms(
    ("treatment-as-usual", "treatment as usual", "What people would have had anyway, whatever that was."),
    ("enhanced-usual-care", "enhanced usual care", "Usual care with something added for the trial, not IPS."),
    (
        "vocational-rehabilitation",
        "vocational rehabilitation",
        "A vocational programme that is not place-then-train.",
    ),
    (
        "train-then-place",
        "train then place",
        "Training, sheltered or transitional work before competitive work.",
    ),
    (
        "stepwise-rehabilitation",
        "stepwise rehabilitation",
        "Rehabilitation in ordered steps, transitional work among them.",
    ),
    ("waiting-list", "waiting list", "The intervention is offered after the comparison has ended."),
    (
        "other-comparator",
        "other comparator",
        "A comparison service that fits no other term; the label says what.",
    ),
)

TREATMENT = INTERVENTIONS | COMPARATORS

ANALYSIS_GROUP = _terms(
    (
        "first-episode-psychosis",
        "First-episode psychosis",
        "Early psychosis services or a first episode of psychosis.",
    ),
    (
        "justice",
        "Justice involvement",
        "A criminal record, prison, probation or forensic care was a condition of entry.",
    ),
    ("homelessness", "Homelessness", "Homelessness was a condition of entry."),
    (
        "veterans-ptsd",
        "Veterans and PTSD",
        "Military veterans, or post-traumatic stress disorder, as a condition of entry.",
    ),
    (
        "spinal-neuro-musculoskeletal",
        "Spinal cord, neurological or musculoskeletal",
        "A spinal cord injury, another neurological condition, pain or a musculoskeletal condition.",
    ),
    ("substance-use", "Substance use", "A substance use disorder was a condition of entry."),
    ("smi", "Severe mental illness", "Severe mental illness as the study defines it."),
    (
        "affective-common",
        "Affective and common mental disorders",
        "Depression, bipolar, anxiety and other common mental disorders without severe mental illness.",
    ),
    ("young-adults", "Young adults", "Youth was a condition of entry and none of the groups above applies."),
    (
        "social-assistance",
        "Social assistance",
        "Recipients of benefits or social assistance, whatever the condition.",
    ),
    ("primary-care", "Primary care", "Patients of primary care, whatever the condition."),
    (
        "autism-intellectual-disability",
        "Autism or intellectual disability",
        "Autism or intellectual disability.",
    ),
    ("mixed", "Mixed", "Several of the groups together, or none by the rule."),
)

YES_NO = _terms(
    ("yes", "yes", "Stated, or plain from what was read."),
    ("no", "no", "Stated not to be so, or plain from what was read."),
    ("partly", "partly", "True of a part of the participants."),
    ("not-stated", "not stated", "What was read does not say."),
)

CONCEPT = _terms(
    (
        "competitive-employment",
        "competitive employment",
        "A job open to anyone, at the going wage, not set aside.",
    ),
    ("any-paid-work", "any paid work", "Paid work of any kind, sheltered or set-aside jobs included."),
    (
        "steady-employment",
        "steady employment",
        "Competitive work held for at least a stated share of follow-up.",
    ),
    ("employed-at-date", "employed at a date", "In work on a stated date, by register or interview."),
    ("work-or-education", "work or education", "In work or in education; the two cannot be told apart."),
    (
        "work-participation",
        "work participation kept or gained",
        "Work participation increased or maintained.",
    ),
    ("job-retention", "job retention", "People in work at entry who kept it."),
    ("education", "education", "In education or training."),
    ("job-start", "job start", "Started a job, as a service or programme counts it."),
    ("sustained-job", "sustained job", "Held a job for a stated number of weeks, such as 13 or 26."),
    ("quarterly-employment", "employed in a quarter", "In work at some time in a quarter, as programmes report it."),
    ("time-worked", "time worked", "Weeks, days or hours in work over a stated period."),
    ("earnings", "earnings", "Earnings or income from work over a stated period."),
    ("job-tenure", "job tenure", "How long a job, or the longest job, was held."),
    ("time-to-job", "time to first job", "Time from entry to the first job."),
)

WINDOW = _terms(
    ("cumulative", "at any time up to then", "Happened at any time from entry to the month given."),
    ("point", "at that time", "Was so at the month given."),
    ("interval", "within a part of follow-up", "Happened between two months of follow-up."),
    ("quarter", "within a quarter", "Happened within a calendar quarter of a programme."),
    ("not-stated", "not stated", "What was read does not say; never in an analysis by default."),
)

READING_KIND = _terms(
    ("count", "count", "A number of persons out of n."),
    ("percent", "percent", "A share, with or without an n, that gives no count."),
    ("mean", "mean", "A mean, with its SD where printed."),
    ("median", "median", "A median."),
    ("rate", "rate", "A rate by time or by model."),
)

DENOMINATOR = _terms(
    ("randomised", "randomised", "All persons randomised to the arm."),
    ("analysed", "analysed", "The persons the source analysed."),
    ("engaged", "engaged", "Persons who took up the service."),
    ("active-caseload", "active caseload", "Persons on the caseload in the period."),
    ("entrants", "entrants", "Persons who entered the service."),
    ("programmes", "programmes", "Programmes or sites, not persons."),
)

PARTICIPANTS_WHAT = _terms(
    ("screened", "screened", "Assessed for eligibility."),
    ("enrolled", "enrolled", "Gave consent or entered the study."),
    ("randomised", "randomised", "Allocated at random to an arm that counts."),
    ("analysed", "analysed", "In the main analysis of the source."),
    ("entrants", "entrants", "Entered the service."),
)

ALTERNATIVE_KIND = _terms(
    ("rounding", "rounding", "Printed percents are rounded: several counts give them."),
    ("denominator", "denominator", "The n behind a printed percent is open."),
    ("disagreement", "disagreement", "Sources print different counts."),
    (
        "nearest",
        "nearest",
        "No count fits what is printed; these come closest. Only with basis `approximate`.",
    ),
)

ASCERTAINMENT = _terms(
    ("register", "register", "From an administrative register."),
    ("self-report", "self-report", "From the participant, by interview or questionnaire."),
    ("specialist-report", "specialist's report", "From the employment specialist or the service."),
    ("several", "several", "From more than one of these."),
)

PUBLISHED_MEASURE = _terms(
    ("OR", "odds ratio", "Odds ratio."),
    ("RR", "risk ratio", "Risk ratio."),
    ("RD", "risk difference", "Risk difference, as a share of 1."),
    ("HR", "hazard ratio", "Hazard ratio."),
    ("percentage-points", "percentage points", "Difference of two percents."),
    (
        "chi-square",
        "chi-square",
        "Pearson's chi-square of the 2x2 table, without continuity correction unless said.",
    ),
    ("p-value", "p value", "A p value printed without an effect."),
    ("NNT", "number needed to treat", "Number needed to treat."),
)

DIRECTION = _terms(
    ("favours-intervention", "favours the intervention", "Said to be better, with or without a test."),
    ("favours-comparator", "favours the comparator", "Said to be better in the comparison group."),
    ("no-difference", "no difference", "Said not to differ, or a difference said not to be significant."),
    ("mixed", "mixed", "Said to differ between outcomes, times or subgroups."),
    ("not-stated", "not stated", "What was read does not say."),
)

SIGNIFICANT = _terms(
    ("yes", "significant", "Called significant, or p below .05 printed."),
    ("no", "not significant", "Called not significant, or p of .05 or more printed."),
    ("not-stated", "not stated", "What was read does not say."),
)

INTEGRATION = _terms(
    ("none", "none", "Apart from treatment."),
    ("minimal", "minimal", "Referral, with little contact afterwards."),
    ("regular", "regular", "Regular meetings with treatment teams."),
    ("embedded", "embedded", "Employment specialists are part of treatment teams."),
    ("daily", "daily", "Daily work together with treatment teams."),
    ("not-stated", "not stated", "What was read does not say."),
)

BIAS_TOOL = _terms(
    ("rob-2", "RoB 2", "Revised Cochrane tool for randomised trials, for one result.", "doi:10.1136/bmj.l4898"),
    ("robins-i", "ROBINS-I", "Tool for studies without random allocation, for one result.", "doi:10.1136/bmj.i4919"),
)

_GRADE = "GRADE, doi:10.1016/j.jclinepi.2010.07.015"
_GRADE_BIAS = "GRADE guideline 5, doi:10.1016/j.jclinepi.2011.01.011"
_GRADE_UP = "GRADE guideline 9, doi:10.1016/j.jclinepi.2011.06.004"

BIAS_JUDGEMENT = _terms(
    ("low", "low", "Low risk of bias."),
    ("some-concerns", "some concerns", "Some concerns (RoB 2)."),
    ("moderate", "moderate", "Moderate risk of bias (ROBINS-I)."),
    ("high", "high", "High or serious risk of bias."),
    ("critical", "critical", "Critical risk of bias (ROBINS-I)."),
    ("no-information", "no information", "What was read does not allow a judgement."),
)

CERTAINTY = _terms(
    ("high", "high", "Very confident that the true effect lies close to the estimate.", _GRADE),
    ("moderate", "moderate", "The true effect is probably close, but may be substantially different.", _GRADE),
    ("low", "low", "The true effect may be substantially different from the estimate.", _GRADE),
    ("very-low", "very low", "The true effect is probably substantially different from the estimate.", _GRADE),
)

CONCERN = _terms(
    ("not-serious", "not serious", "No reason to lower the certainty.", _GRADE),
    ("serious", "serious", "Lowers the certainty by one level.", _GRADE),
    ("very-serious", "very serious", "Lowers the certainty by two levels.", _GRADE),
    (
        "extremely-serious",
        "extremely serious",
        "Lowers the certainty by three levels; of imprecision only.",
        "GRADE guidance 34, doi:10.1016/j.jclinepi.2022.07.014",
    ),
)

SUSPICION = _terms(
    ("undetected", "undetected", "No sign of publication bias was found.", _GRADE_BIAS),
    ("strongly-suspected", "strongly suspected", "Lowers the certainty by one level.", _GRADE_BIAS),
)

RATED_UP = _terms(
    ("large-effect", "large effect", "At least twofold, from sound studies: one level.", _GRADE_UP),
    ("very-large-effect", "very large effect", "At least fivefold, from sound studies: two levels.", _GRADE_UP),
    ("dose-response", "dose-response gradient", "More of it goes with more effect: one level.", _GRADE_UP),
    (
        "opposing-confounding",
        "confounding against the effect",
        "Plausible confounding would hide what was seen: one level.",
        _GRADE_UP,
    ),
)

REVIEW_KIND = _terms(
    ("pairwise", "pairwise meta-analysis", "Pools two-arm comparisons of several studies."),
    ("network", "network meta-analysis", "Pools several treatments through a network of comparisons."),
    ("proportions", "meta-analysis of proportions", "Pools rates of single arms."),
    ("pooled-percent", "pooled percents", "Averages percents over studies, with or without weights."),
    ("pooled-participants", "pooled participant data", "Analyses the participants of several studies together."),
    ("multisite", "multisite analysis", "Analyses the sites of one study together."),
    ("fidelity", "meta-analysis on fidelity", "Pools or relates fidelity scores and outcomes."),
    ("economic", "economic review", "Costs, cost-effectiveness or return on investment."),
    ("overview", "overview of reviews", "Reviews reviews."),
    ("narrative", "review without pooling", "Reviews studies without a pooled estimate."),
)

SCALE = _terms(
    ("ips-15", "IPS Fidelity Scale (15 items)", "The first fidelity scale, 15 items from 1 to 5."),
    ("ips-25", "Supported Employment Fidelity Scale (25 items)", "The 2008 revision, 25 items from 1 to 5."),
    ("ips-y", "IPS Fidelity Scale for Young Adults", "The scale for young adults, with education items."),
    ("jisef", "Japanese fidelity scale (JiSEF)", "The Japanese adaptation of the 25-item scale."),
    ("qseis", "Quality of Supported Employment Implementation Scale", "33 items, not specific to IPS."),
    ("not-stated", "scale not stated", "A fidelity statement without the name of its scale."),
)

# ISO 3166-1 alpha-2; a part of a country is written GB-ENG (ISO 3166-2).
COUNTRY = _terms(
    *[
        (code, name, f"{name} (ISO 3166)")
        for code, name in (
            ("AU", "Australia"),
            ("BG", "Bulgaria"),
            ("CA", "Canada"),
            ("CH", "Switzerland"),
            ("CN", "China"),
            ("DE", "Germany"),
            ("DK", "Denmark"),
            ("ES", "Spain"),
            ("FI", "Finland"),
            ("GB", "United Kingdom"),
            ("GB-ENG", "England"),
            ("GB-NIR", "Northern Ireland"),
            ("GB-SCT", "Scotland"),
            ("GB-WLS", "Wales"),
            ("HK", "Hong Kong"),
            ("IE", "Ireland"),
            ("IL", "Israel"),
            ("IN", "India"),
            ("IS", "Iceland"),
            ("IT", "Italy"),
            ("JP", "Japan"),
            ("NL", "Netherlands"),
            ("NO", "Norway"),
            ("NZ", "New Zealand"),
            ("SE", "Sweden"),
            ("SG", "Singapore"),
            ("US", "United States"),
        )
    ],
)

VOCABULARIES = {
    "status": STATUS,
    "report kind": REPORT_KIND,
    "source kind": SOURCE_KIND,
    "read": READ,
    "basis": BASIS,
    "design": DESIGN,
    "allocation": ALLOCATION,
    "treatment": TREATMENT,
    "analysis group": ANALYSIS_GROUP,
    "yes or no": YES_NO,
    "concept": CONCEPT,
    "window": WINDOW,
    "reading kind": READING_KIND,
    "denominator": DENOMINATOR,
    "participants": PARTICIPANTS_WHAT,
    "alternative kind": ALTERNATIVE_KIND,
    "ascertainment": ASCERTAINMENT,
    "published measure": PUBLISHED_MEASURE,
    "direction": DIRECTION,
    "significant": SIGNIFICANT,
    "integration": INTEGRATION,
    "risk-of-bias tool": BIAS_TOOL,
    "risk-of-bias judgement": BIAS_JUDGEMENT,
    "certainty": CERTAINTY,
    "concern that lowers certainty": CONCERN,
    "suspicion of publication bias": SUSPICION,
    "reason to rate certainty up": RATED_UP,
    "review kind": REVIEW_KIND,
    "fidelity scale": SCALE,
    "country": COUNTRY,
}
