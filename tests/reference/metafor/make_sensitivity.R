# Leave-one-out, cumulative, influence, Baujat, GOSH: writes sensitivity.json (after make_tau2.R)

source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))), "writing.R"))

sets <- fromJSON(file.path(here, "tau2.json"))$sets[c("bcg", "collins", "raudenbush")]
methods <- c(common = "EE", dl = "DL", reml = "REML", pm = "PM")
fit <- function(s, method, test, moderated = FALSE) {
  mods <- if (moderated) s$X else matrix(1, length(s$yi), 1)
  rma(s$yi, s$vi, mods = mods, intercept = FALSE, method = method, test = test, control = tight)
}
plain <- function(s, method, test) rma(s$yi, s$vi, method = method, test = test, control = tight)
series <- function(x) {
  list(estimate = numbers(x$estimate), se = numbers(x$se), low = numbers(x$ci.lb), high = numbers(x$ci.ub),
       p = numbers(x$pval), q = numbers(if (is.null(x$Q)) x$QE else x$Q), tau2 = if (is.null(x$tau2)) NULL else numbers(x$tau2),
       i2 = numbers(x$I2), h2 = numbers(x$H2))
}
influences <- function(r) {
  f <- influence(r)
  list(rstudent = numbers(f$inf$rstudent), dffits = numbers(f$inf$dffits), cook = numbers(f$inf$cook.d),
       cov_ratio = numbers(f$inf$cov.r), tau2_deleted = numbers(f$inf$tau2.del), q_deleted = numbers(f$inf$QE.del),
       hat = numbers(f$inf$hat), weight = numbers(f$inf$weight), dfbetas = as.matrix(as.data.frame(f$dfbs)),
       influential = f$is.infl)
}
baujats <- function(r) {
  pdf(NULL)
  b <- baujat(r)
  dev.off()
  list(x = numbers(b$x), y = numbers(b$y))
}
one <- function(s, method, test) {
  r <- plain(s, method, test)
  list(leave_one_out = series(leave1out(r)), cumulative = series(cumul(r)),
       influence = if (test == "z") influences(r) else NULL,
       moderated = if (test == "z") influences(fit(s, method, test, TRUE)) else NULL,
       baujat = baujats(r))
}
put(list(
  calls = list(leave_one_out = "leave1out(fit)", cumulative = "cumul(fit)", influence = "influence(fit)", baujat = "baujat(fit)"),
  sets = sets,
  fits = lapply(sets, function(s) lapply(methods, function(m) {
    list(wald = suppressWarnings(one(s, m, "z")), hksj = suppressWarnings(one(s, m, "knha")))
  })),
  gosh = {
    r <- plain(sets$collins, "REML", "z")
    g <- gosh(r, progbar = FALSE)
    e <- gosh(plain(sets$bcg, "EE", "z"), progbar = FALSE)
    list(collins_reml = list(estimate = numbers(sort(g$res$estimate)), i2 = numbers(sort(g$res$I2))),
         bcg_common = list(mean = mean(e$res$estimate), sd = sd(e$res$estimate), min = min(e$res$estimate),
                           max = max(e$res$estimate), i2 = mean(e$res$I2), n = nrow(e$res)))
  }
), "sensitivity.json")
