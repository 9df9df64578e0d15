# Mantel-Haenszel and Peto: writes counts.json

source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))), "writing.R"))
library(jsonlite)

tables <- c(
  fromJSON(file.path(here, "pooling.json"))$counts,
  list(zeros = list(source = "made up: empty cells, double zeros", ai = c(0, 3, 0, 20, 7), n1i = c(20, 25, 10, 20, 17),
                    ci = c(4, 6, 0, 20, 2), n2i = c(20, 24, 12, 20, 19)))
)
common <- function(r) {
  list(estimate = number(r$beta), se = number(r$se), low = number(r$ci.lb), high = number(r$ci.ub),
       statistic = number(r$zval), p = number(r$pval), q = number(r$QE), q_p = number(r$QEp))
}
frame <- function(t) as.data.frame(t[c("ai", "n1i", "ci", "n2i")])
mh <- function(t, measure) {
  r <- suppressWarnings(rma.mh(measure = measure, ai = ai, n1i = n1i, ci = ci, n2i = n2i, data = frame(t), drop00 = measure != "RD",
                               correct = TRUE))
  out <- common(r)
  if (measure == "OR") {
    out$tests <- list("Cochran" = number(r$CO), "Mantel-Haenszel" = number(r$MH), "Breslow-Day" = number(r$BD),
                      "Tarone" = number(r$TA))
  }
  out
}
put(list(
  calls = list(mh = "rma.mh(measure, ai=, n1i=, ci=, n2i=, drop00 = TRUE (OR, RR) or FALSE (RD))", peto = "rma.peto"),
  tables = tables,
  pools = lapply(tables, function(t) c(
    sapply(c("OR", "RR", "RD"), function(m) mh(t, m), simplify = FALSE),
    list(PETO = common(suppressWarnings(rma.peto(ai = ai, n1i = n1i, ci = ci, n2i = n2i, data = frame(t), drop00 = TRUE))))
  ))
), "counts.json")
