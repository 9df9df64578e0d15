# Reference values for ipsevidence.core, made with metafor.
#
#   Rscript make_reference.R          writes pooling.json and effects.json beside this script
#   Rscript make_reference.R csv      writes ../../data/bcg.csv as well
#
# Numbers only: the script calls metafor and writes down what it returns. Convergence is set far
# tighter than metafor's defaults, which are off in the fifth digit.

suppressPackageStartupMessages({
  library(metafor)
  library(jsonlite)
})

here <- dirname(normalizePath(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))))

estimators <- c(
  common = "EE", dl = "DL", he = "HE", hs = "HS", sj = "SJ", ml = "ML", reml = "REML", eb = "EB", pm = "PM",
  hsk = "HSk", pmm = "PMM", ca2 = "CA2", dl2 = "DL2", sj2 = "SJ2"
)
intervals <- c(wald = "z", t = "t", hksj = "knha", "hksj-adhoc" = "adhoc")
measures <- c("OR", "RR", "RD")

# ---- data sets ------------------------------------------------------------------------------------
# Two kinds: counts (ai, n1i, ci, n2i), and effects (yi, vi). To extend the grid, add a line.

counts <- function(source, data, ai = "ai", n1i = "n1i", ci = "ci", n2i = "n2i") {
  data <- as.data.frame(data)
  list(source = source, ai = data[[ai]], n1i = data[[n1i]], ci = data[[ci]], n2i = data[[n2i]])
}

bcg <- transform(dat.bcg, ai = tpos, n1i = tpos + tneg, ci = cpos, n2i = cpos + cneg)

count_sets <- list(
  bcg = counts("metadat dat.bcg", bcg),
  collins1985a = counts("metadat dat.collins1985a", dat.collins1985a, "b.xti", "nti", "b.xci", "nci"),
  collins1985b = counts("metadat dat.collins1985b, pre-eclampsia", dat.collins1985b,
                        "pre.xti", "pre.nti", "pre.xci", "pre.nci"),
  egger2001 = counts("metadat dat.egger2001", dat.egger2001),
  graves2010 = counts("metadat dat.graves2010", dat.graves2010),
  hahn2001 = counts("metadat dat.hahn2001", dat.hahn2001),
  hine1989 = counts("metadat dat.hine1989 (tau2 = 0)", dat.hine1989),
  hine1989_k3 = counts("metadat dat.hine1989, rows 1-3 (k = 3)", dat.hine1989[1:3, ]),
  bcg_k2 = counts("metadat dat.bcg, rows 1 and 4 (k = 2)", bcg[c(1, 4), ]),
  laopaiboon2015 = counts("metadat dat.laopaiboon2015", dat.laopaiboon2015),
  lau1992 = counts("metadat dat.lau1992", dat.lau1992),
  lee2004 = counts("metadat dat.lee2004", dat.lee2004),
  li2007 = counts("metadat dat.li2007", dat.li2007),
  linde2005 = counts("metadat dat.linde2005", dat.linde2005),
  nielweise2007 = counts("metadat dat.nielweise2007", dat.nielweise2007),
  yusuf1985_6 = counts("metadat dat.yusuf1985, table 6", subset(dat.yusuf1985, table == "6"))
)
count_sets <- lapply(count_sets, function(s) {
  whole <- !is.na(s$ai + s$n1i + s$ci + s$n2i)
  for (name in c("ai", "n1i", "ci", "n2i")) s[[name]] <- as.numeric(s[[name]][whole])
  s
})

effects <- function(source, yi, vi) list(source = source, yi = as.numeric(yi), vi = as.numeric(vi))
normand <- function(vtype) {
  e <- escalc("MD", m1i = m1i, sd1i = sd1i, n1i = n1i, m2i = m2i, sd2i = sd2i, n2i = n2i,
              data = dat.normand1999, vtype = vtype)
  effects(sprintf("metadat dat.normand1999, escalc MD, vtype %s", vtype), e$yi, e$vi)
}

effect_sets <- list(
  bangertdrowns2004 = with(dat.bangertdrowns2004, effects("metadat dat.bangertdrowns2004", yi, vi)),
  hackshaw1998 = with(dat.hackshaw1998, effects("metadat dat.hackshaw1998", yi, vi)),
  michael2013 = with(dat.michael2013, effects("metadat dat.michael2013", yi, vi)),
  normand1999 = normand("LS"),
  normand1999_pooled_sd = normand("HO"),
  raudenbush1985 = with(dat.raudenbush1985, effects("metadat dat.raudenbush1985", yi, vi))
)

# ---- effects --------------------------------------------------------------------------------------

one_escalc <- function(measure, set, add, to, drop00) {
  e <- suppressWarnings(escalc(measure, ai = set$ai, n1i = set$n1i, ci = set$ci, n2i = set$n2i,
                               add = add, to = to, drop00 = drop00))
  list(measure = measure, add = add, to = to, drop00 = drop00,
       yi = as.numeric(e$yi), vi = as.numeric(e$vi))
}

zero_cells <- list(
  source = "made up: empty cells, double zeros, everybody in both arms",
  ai = c(0, 3, 0, 20, 7, 12.5), n1i = c(20, 25, 10, 20, 7, 30),
  ci = c(4, 6, 0, 22, 2, 6.25), n2i = c(20, 24, 12, 22, 9, 31)
)

effect_cases <- function(set) {
  grid <- expand.grid(measure = measures, add = c(0.5, 0.1), to = c("only0", "all", "if0all", "none"),
                      drop00 = c(TRUE, FALSE), stringsAsFactors = FALSE)
  Map(function(measure, add, to, drop00) one_escalc(measure, set, add, to, drop00),
      grid$measure, grid$add, grid$to, grid$drop00, USE.NAMES = FALSE)
}

# ---- pooling --------------------------------------------------------------------------------------

# the two-step estimators are made of two fits; the second one's tau2 is then handed in
two_step <- function(yi, vi, method) {
  first <- max(0, rma(yi, vi, method = if (method == "DL2") "DL" else "HE")$tau2)
  if (method != "SJ2") return(rma(yi, vi, method = "GENQ", weights = 1 / (vi + first)))
  if (first == 0) return(rma(yi, vi, method = "SJ"))
  rma(yi, vi, method = "SJ", control = list(tau2.init = first))
}

fit <- function(yi, vi, method, test = "z") {
  if (method %in% c("CA2", "DL2", "SJ2")) {
    second <- two_step(yi, vi, method)
    r <- rma(yi, vi, tau2 = second$tau2, test = test)
    r$se.tau2 <- second$se.tau2
    return(r)
  }
  for (step in c(1, 0.5, 0.25)) {
    control <- list(threshold = 1e-13, tol = 1e-13, maxiter = 10000, stepadj = step)
    r <- tryCatch(suppressWarnings(rma(yi, vi, method = method, test = test, control = control)),
                  error = function(e) NULL)
    if (!is.null(r)) return(r)
  }
  stop("no convergence: ", method)
}

number <- function(x) if (is.null(x) || length(x) == 0 || is.na(x)) NULL else as.numeric(x)

one_interval <- function(yi, vi, method, test) {
  r <- fit(yi, vi, method, test)
  p <- if (method == "EE") NULL else predict(r)
  list(se = number(r$se), low = number(r$ci.lb), high = number(r$ci.ub), statistic = number(r$zval),
       p = number(r$pval), pi_low = number(p$pi.lb), pi_high = number(p$pi.ub))
}

one_estimator <- function(yi, vi, method) {
  r <- fit(yi, vi, method)
  list(estimate = number(r$beta), tau2 = number(r$tau2), tau2_se = number(r$se.tau2),
       i2 = number(r$I2), h2 = number(r$H2), weights = as.numeric(weights(r)),
       intervals = lapply(intervals, function(test) one_interval(yi, vi, method, test)))
}

q_profile <- function(yi, vi) {
  b <- suppressWarnings(confint(fit(yi, vi, "DL"), control = list(tol = 1e-14, tau2.max = 1e6, maxiter = 10000)))$random
  list(tau2 = as.numeric(b["tau^2", 2:3]), i2 = as.numeric(b["I^2(%)", 2:3]), h2 = as.numeric(b["H^2", 2:3]))
}

pooled <- function(yi, vi) {
  common <- fit(yi, vi, "EE")
  list(k = length(yi), yi = yi, vi = vi, q = number(common$QE), q_p = number(common$QEp),
       q_profile = q_profile(yi, vi),
       estimators = lapply(estimators, function(method) one_estimator(yi, vi, method)))
}

of_counts <- function(set, measure) {
  e <- one_escalc(measure, set, 0.5, "only0", measure != "RD")
  keep <- !is.na(e$yi)
  c(list(measure = measure), pooled(e$yi[keep], e$vi[keep]))
}

# ---- writing --------------------------------------------------------------------------------------

versions <- list(R = as.character(getRversion()), metafor = as.character(packageVersion("metafor")),
                 metadat = as.character(packageVersion("metadat")))
put <- function(x, file) write(toJSON(x, digits = I(15), auto_unbox = TRUE, null = "null", na = "null"), file.path(here, file))

put(list(
  versions = versions,
  calls = list(
    effects = 'escalc(measure, ai=, n1i=, ci=, n2i=, add = 0.5, to = "only0", drop00 = TRUE (OR, RR) or FALSE (RD))',
    fit = "rma(yi, vi, method=, test=, control = list(threshold = 1e-13, tol = 1e-13, maxiter = 10000))",
    prediction = "predict(fit)",
    q_profile = 'confint(rma(method = "DL"), control = list(tol = 1e-14, tau2.max = 1e6, maxiter = 10000))'
  ),
  counts = count_sets,
  pools = c(
    unlist(lapply(names(count_sets), function(name) {
      lapply(measures, function(m) c(list(set = name), of_counts(count_sets[[name]], m)))
    }), recursive = FALSE),
    lapply(names(effect_sets), function(name) {
      s <- effect_sets[[name]]
      keep <- !is.na(s$yi)
      c(list(set = name, source = s$source, measure = "GEN"), pooled(s$yi[keep], s$vi[keep]))
    })
  )
), "pooling.json")

put(list(
  versions = versions,
  calls = list(effects = "escalc(measure, ai=, n1i=, ci=, n2i=, add=, to=, drop00=)"),
  tables = c(list(zero_cells = zero_cells), count_sets["bcg"]),
  cases = list(zero_cells = effect_cases(zero_cells), bcg = effect_cases(count_sets$bcg))
), "effects.json")

if ("csv" %in% commandArgs(trailingOnly = TRUE)) {
  table <- with(bcg, data.frame(study = paste(author, year), ai, n1i, ci, n2i, year, ablat, alloc))
  write.csv(table, file.path(here, "..", "..", "data", "bcg.csv"), row.names = FALSE, quote = FALSE)
}
