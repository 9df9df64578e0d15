# Small-study effects: writes small_study.json (after make_reference.R and make_tau2.R)

source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))), "writing.R"))

pools <- fromJSON(file.path(here, "pooling.json"), simplifyDataFrame = FALSE)$pools
wanted <- list(c("bcg", "RR"), c("bcg", "OR"), c("egger2001", "OR"), c("lau1992", "OR"), c("li2007", "OR"),
               c("hackshaw1998", "GEN"), c("bangertdrowns2004", "GEN"), c("raudenbush1985", "GEN"), c("collins1985b", "OR"))
sets <- lapply(wanted, function(w) {
  p <- Filter(function(p) p$set == w[1] && p$measure == w[2], pools)[[1]]
  list(set = w[1], measure = w[2], yi = p$yi, vi = p$vi)
})
test <- function(x) list(statistic = number(x$zval), p = number(x$pval), df = number(x$ddf))
fit <- function(s, method) rma(s$yi, s$vi, method = method, control = c(tight, list(stepadj = 0.5)))
trim <- function(s, method, estimator) {
  tf <- tryCatch(suppressWarnings(trimfill(fit(s, method), estimator = estimator, control = tight)), error = function(e) NULL)
  if (is.null(tf)) return(NULL)
  list(k0 = tf$k0, side = tf$side, estimate = number(tf$beta), low = number(tf$ci.lb), high = number(tf$ci.ub), tau2 = number(tf$tau2))
}
wls <- function(s, x) {
  m <- summary(lm(s$yi ~ x, weights = 1 / s$vi))$coefficients
  list(intercept = m[1, 1], se = m[1, 2], p = m[1, 4], slope = m[2, 1], slope_se = m[2, 2], slope_p = m[2, 4])
}
select <- function(s, steps, alternative, method) {
  r <- tryCatch(suppressWarnings(selmodel(rma(s$yi, s$vi, method = method), type = "stepfun", steps = steps, alternative = alternative,
                         control = list(optimizer = "BFGS", reltol = 1e-15, maxit = 10000))), error = function(e) NULL)
  if (is.null(r)) return(NULL)
  list(steps = numbers(steps), alternative = alternative, common = method == "EE", estimate = number(r$beta),
       se = number(r$se), tau2 = number(r$tau2), delta = numbers(r$delta), lrt = number(r$LRT), log_likelihood = number(r$fit.stats[1, 1]))
}
one <- function(s) {
  list(
    set = s$set, measure = s$measure, yi = s$yi, vi = s$vi,
    egger_lm = test(regtest(s$yi, s$vi, model = "lm")),
    egger_mixed = test(regtest(fit(s, "REML"))),
    egger_common = test(regtest(fit(s, "EE"))),
    rank = { r <- suppressWarnings(ranktest(s$yi, s$vi)); list(tau = number(r$tau), p = number(r$pval)) },
    trim = Filter(Negate(is.null), unlist(lapply(c(common = "EE", dl = "DL", reml = "REML"), function(m) {
      sapply(c("L0", "R0", "Q0"), function(e) trim(s, m, e), simplify = FALSE)
    }), recursive = FALSE)),
    pet = wls(s, sqrt(s$vi)), peese = wls(s, s$vi),
    fail_safe = list(rosenthal = fsn(s$yi, s$vi)$fsnum, rosenberg = fsn(s$yi, s$vi, type = "Rosenberg")$fsnum,
                     orwin = fsn(s$yi, s$vi, type = "Orwin", target = 0.1)$fsnum),
    selection = Filter(Negate(is.null), list(
      select(s, 0.025, if (mean(s$yi) > 0) "greater" else "less", "ML"),
      select(s, c(0.025, 0.5), if (mean(s$yi) > 0) "greater" else "less", "ML"),
      select(s, 0.025, if (mean(s$yi) > 0) "greater" else "less", "EE")))
  )
}
put(list(calls = list(egger = "regtest()", rank = "ranktest()", trim = "trimfill()", pet = "lm(yi ~ sqrt(vi), weights = 1/vi)",
                      selection = 'selmodel(type = "stepfun")', fail_safe = "fsn()"),
         cases = lapply(sets, one)), "small_study.json")
