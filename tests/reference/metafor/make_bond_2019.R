# Reference values for the nine-trial analysis, by metafor. Run: Rscript make_bond_2019.R (writes bond_2019.json).
suppressMessages(library(metafor))
library(jsonlite)

rows <- data.frame(
  id  = c("davis-2012", "davis-2018", "hellstrom-2017", "reme-2015", "bejerholm-2017", "reme-2019", "lones-2017",
          "lepage-2016", "ottomanelli-2012"),
  ai  = c(32, 187, 72, 277, 14, 83, 11, 21, 21), n1i = c(42, 271, 162, 626, 33, 227, 22, 46, 81),
  ci  = c(12, 154, 62, 204, 1, 50, 1, 8, 8),     n2i = c(43, 270, 164, 549, 28, 183, 23, 38, 76))
tight <- list(threshold = 1e-13, tol = 1e-13, maxiter = 10000)

fit <- function(data, measure, method, test) {
  es <- escalc(measure = measure, ai = ai, n1i = n1i, ci = ci, n2i = n2i, data = data)
  m <- rma(yi, vi, data = es, method = method, test = test, control = tight)
  out <- list(k = m$k, estimate = as.numeric(m$beta), se = m$se, ci = c(m$ci.lb, m$ci.ub), p = m$pval, q = m$QE,
              q_p = m$QEp, tau2 = m$tau2, i2 = m$I2)
  if (method != "EE" && m$k > 1)
    out$tau2_ci <- as.numeric(confint(m, control = list(tol = 1e-12, tau2.max = 1e6))$random["tau^2", c("ci.lb", "ci.ub")])
  out
}
changed <- function(study, ai, n1i, ci, n2i) {
  rows[rows$id == study, c("ai", "n1i", "ci", "n2i")] <- list(ai, n1i, ci, n2i)
  rows
}
results <- list(
  main = fit(rows, "OR", "DL", "z"),
  "group psychiatric" = fit(rows[1:6, ], "OR", "DL", "z"),
  "group substance-use" = fit(rows[7:8, ], "OR", "DL", "z"),
  "reml-hksj" = fit(rows, "OR", "REML", "knha"),
  "reml-hksj-rr" = fit(rows, "RR", "REML", "knha"),
  pm = fit(rows, "OR", "PM", "knha"),
  "dl-rr" = fit(rows, "RR", "DL", "z"),
  common = fit(rows, "OR", "EE", "z"),
  "without-davis-2018" = fit(rows[rows$id != "davis-2018", ], "OR", "DL", "z"),
  "davis-2018-steady" = fit(changed("davis-2018", 105, 271, 63, 270), "OR", "DL", "z"),
  "bejerholm-2017-analysed" = fit(changed("bejerholm-2017", 14, 33, 1, 25), "OR", "DL", "z"),
  "ottomanelli-2012-24m" = fit(changed("ottomanelli-2012", 25, 81, 8, 76), "OR", "DL", "z"))
write_json(list(made_by = paste("metafor", packageVersion("metafor"), "on", R.version.string), rows = rows,
                results = results), "bond_2019.json", digits = NA, auto_unbox = TRUE, pretty = TRUE)
