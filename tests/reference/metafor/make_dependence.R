# Cluster-robust tests: writes dependence.json (after make_tau2.R)

source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))), "writing.R"))

sets <- fromJSON(file.path(here, "tau2.json"))$sets[c("bcg", "bangertdrowns", "raudenbush")]
one <- function(s, clusters, moderated, method) {
  mods <- if (moderated) s$X else matrix(1, length(s$yi), 1)
  r <- suppressWarnings(rma(s$yi, s$vi, mods = mods, intercept = FALSE, method = method, control = tight))
  cr2 <- robust(r, cluster = clusters, clubSandwich = TRUE)
  cr1 <- robust(r, cluster = clusters)
  list(clusters = clusters, moderated = moderated, method = tolower(method),
       cr2 = list(se = numbers(cr2$se), df = numbers(cr2$ddf), statistic = numbers(cr2$zval), p = numbers(cr2$pval)),
       cr1 = list(se = numbers(cr1$se), df = number(cr1$ddf[1]), p = numbers(cr1$pval)))
}
cases <- unlist(lapply(names(sets), function(n) {
  s <- sets[[n]]
  k <- length(s$yi)
  unlist(lapply(list(seq_len(k), rep(seq_len(ceiling(k / 2)), each = 2)[seq_len(k)], (seq_len(k) * 7) %% 5), function(clusters) {
    unlist(lapply(c(FALSE, TRUE), function(m) lapply(c("DL", "REML"), function(method) {
      c(list(set = n), one(s, clusters, m, method))
    })), recursive = FALSE)
  }), recursive = FALSE)
}), recursive = FALSE)
put(list(calls = list(cr2 = "robust(fit, cluster =, clubSandwich = TRUE)", cr1 = "robust(fit, cluster =)"),
         sets = sets, cases = cases), "dependence.json")
