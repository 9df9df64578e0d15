# Meta-regression: writes moderators.json (after make_tau2.R, whose data sets it uses)

source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))), "writing.R"))

sets <- fromJSON(file.path(here, "tau2.json"))$sets
estimators <- c(common = "EE", dl = "DL", he = "HE", hs = "HS", sj = "SJ", ml = "ML", reml = "REML", pm = "PM")
intervals <- c(wald = "z", t = "t", hksj = "knha", "hksj-adhoc" = "adhoc")
fit <- function(s, method, test) {
  mods <- s$X[, -1, drop = FALSE]
  colnames(mods) <- paste0("x", seq_len(ncol(mods)))
  for (step in c(1, 0.5, 0.25)) {
    r <- tryCatch(suppressWarnings(rma(s$yi, s$vi, mods = mods, method = method, test = test,
                                       control = c(tight, list(stepadj = step)))), error = function(e) NULL)
    if (!is.null(r)) return(r)
  }
  stop("no convergence: ", method)
}
one <- function(s, method, test) {
  r <- fit(s, method, test)
  p <- predict(r, newmods = s$X[1:2, -1, drop = FALSE])
  list(b = numbers(r$beta), se = numbers(r$se), statistic = numbers(r$zval), p = numbers(r$pval),
       low = numbers(r$ci.lb), high = numbers(r$ci.ub), tau2 = number(r$tau2), i2 = number(r$I2), h2 = number(r$H2),
       r2 = number(r$R2), qe = number(r$QE), qe_p = number(r$QEp), qm = number(r$QM), qm_p = number(r$QMp),
       pred = numbers(p$pred), pred_low = numbers(p$ci.lb), pred_high = numbers(p$ci.ub),
       pi_low = numbers(p$pi.lb), pi_high = numbers(p$pi.ub),
       vif = if (ncol(s$X) > 2) numbers(sapply(vif(r)$vif, function(x) x$vif)) else NULL)
}
put(list(
  calls = list(fit = "rma(yi, vi, mods = X[, -1], method =, test =, control = ...)", predict = "predict(fit, newmods =)"),
  sets = sets,
  fits = lapply(sets, function(s) lapply(estimators, function(m) lapply(intervals, function(t) one(s, m, t)))),
  statistics = lapply(sets, function(s) lapply(c(ml = "ML", reml = "REML"), function(m) {
    numbers(unlist(fitstats(fit(s, m, "z"))))
  }))
), "moderators.json")
